//! List prices in US dollars: region US East (N. Virginia), without free tiers, discounts and taxes, as the services'
//! pricing pages had them in November 2026. Check them against the pages before an estimate is given to anybody.

/// A million write request units of a table on demand. <https://aws.amazon.com/dynamodb/pricing/on-demand/>
pub(super) const DYNAMODB_WRITES: f64 = 0.625;
/// A million read request units of a table on demand.
pub(super) const DYNAMODB_READS: f64 = 0.125;
/// A million invocations. <https://aws.amazon.com/lambda/pricing/>
pub(super) const LAMBDA_REQUESTS: f64 = 0.20;
/// A million gigabyte-seconds on arm64, in the first tier.
pub(super) const LAMBDA_GB_SECONDS: f64 = 13.3334;
/// A million requests to a standard queue, with the surcharge for messages in groups (fair queues).
/// <https://aws.amazon.com/sqs/pricing/>
pub(super) const SQS_REQUESTS: f64 = 0.40 + 0.10;
/// A million requests to an HTTP API, up to 512 KB each. <https://aws.amazon.com/api-gateway/pricing/>
pub(super) const HTTP_API_REQUESTS: f64 = 1.00;
/// A million invocations of schedules. <https://aws.amazon.com/eventbridge/pricing/>
pub(super) const SCHEDULER_INVOCATIONS: f64 = 1.00;
/// A million objects written. <https://aws.amazon.com/s3/pricing/>
pub(super) const S3_PUTS: f64 = 5.00;
/// A million objects read.
pub(super) const S3_GETS: f64 = 0.40;
/// A million megabytes of logs taken in ($0.50 a gigabyte). <https://aws.amazon.com/cloudwatch/pricing/>
pub(super) const LOG_MEGABYTES: f64 = 500.0;
/// A million traces recorded, of which the default rule samples one in twenty. <https://aws.amazon.com/xray/pricing/>
pub(super) const TRACES: f64 = 5.00 * 0.05;
/// A million reads of secrets. <https://aws.amazon.com/secrets-manager/pricing/>
pub(super) const SECRET_READS: f64 = 5.00;

/// A million state transitions of a standard state machine. <https://aws.amazon.com/step-functions/pricing/>
pub(super) const STEP_FUNCTIONS_STANDARD: f64 = 25.0;
/// A million operations of Lambda durable functions, without the data that they write and keep.
/// <https://aws.amazon.com/lambda/pricing/>
pub(super) const LAMBDA_DURABLE_FUNCTIONS: f64 = 8.0;
