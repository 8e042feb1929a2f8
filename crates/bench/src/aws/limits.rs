//! What AWS takes, as its pages had it in November 2026. A partition takes what it takes; the others are quotas of an account
//! and Region that are raised on request, here as they are at first in US East (N. Virginia).

/// Write units a second of one partition.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
pub(super) const PARTITION_WRITES: f64 = 1_000.0;
/// Read units a second of one partition.
pub(super) const PARTITION_READS: f64 = 3_000.0;
/// Transactions a second that write the same item. Nobody documents a number; it follows from what is documented: of two
/// transactions on one item at the same time one is canceled, so they come one after the other, and each is two rounds,
/// prepare and commit, of writes that take single-digit milliseconds.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>,
/// <https://www.usenix.org/conference/atc23/presentation/idziorek>
pub(super) const ITEM_TRANSACTIONS: f64 = 100.0;
/// Write units a second of a table on demand, and the same of each of its indexes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>
pub(super) const TABLE_WRITES: f64 = 40_000.0;
/// Read units a second of a table on demand, and the same of each of its indexes.
pub(super) const TABLE_READS: f64 = 40_000.0;
/// Invocations at once of all functions of an account; also the most that one queue's mapping can be allowed.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>,
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
pub(super) const CONCURRENCY: f64 = 1_000.0;
/// Invocations a second of all functions: ten times those at once.
pub(super) const INVOCATIONS: f64 = 10.0 * CONCURRENCY;
/// Messages of a standard queue that are received and not yet deleted.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
pub(super) const IN_FLIGHT: f64 = 120_000.0;
/// Schedules created a second. <https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html>
pub(super) const SCHEDULES: f64 = 5_000.0;
/// Schedules that are due a second.
pub(super) const DUE_SCHEDULES: f64 = 1_000.0;
/// Requests a second to all HTTP APIs of an account.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
pub(super) const HTTP_API: f64 = 10_000.0;
