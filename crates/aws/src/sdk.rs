//! One configuration for the clients of all services.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::http::SharedConnections;

/// A connection inside a region is there in milliseconds; one that takes this long will not come.
pub const CONNECT: Duration = Duration::from_secs(1);

/// Longest wait for the answer of one attempt.
pub const ATTEMPT: Duration = Duration::from_secs(3);

/// The variable of an endpoint for all services; with an underscore and a service behind it, for that one.
pub(crate) const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// Attempts of the SDK itself. Tables count their own; see [`crate::DynamoTables`].
const ATTEMPTS: u32 = 3;

/// What the names of hosts end in where regions begin so: the partitions of AWS.
const SUFFIXES: &[(&str, &str)] = &[
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
];

/// Where a function is, as Lambda tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its region.
    pub region: String,
    /// An endpoint for all services; those of the region without it.
    pub endpoint: Option<String>,
    /// Endpoints of single services, by the name of their variable: `AWS_ENDPOINT_URL_<SERVICE>`.
    pub endpoints: BTreeMap<String, String>,
    /// Whether services are reached at their FIPS endpoints.
    pub fips: bool,
    /// Whether services are reached at their dual-stack endpoints.
    pub dual_stack: bool,
}

/// The configuration of a function, which makes it once and all of its clients from it, so that they share connections.
/// Lambda puts credentials into the environment; the other places where the SDK would look for them are not even compiled
/// in.
pub fn of_function(place: &Place) -> SdkConfig {
    let credentials = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
    let mut builder = SdkConfig::builder();
    builder.set_endpoint_url(place.endpoint.clone());
    builder
        .behavior_version(BehaviorVersion::latest())
        .service_config(Endpoints(place.endpoints.clone()))
        .region(Region::new(place.region.clone()))
        .use_fips(place.fips)
        .use_dual_stack(place.dual_stack)
        .credentials_provider(credentials)
        .http_client(http_client())
        .timeout_config(timeouts())
        .retry_config(retries())
        .build()
}

#[derive(Debug)]
struct Endpoints(BTreeMap<String, String>);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().replace([' ', '-'], "_").to_uppercase();
        self.0.get(&format!("{}_{service}", key.env())).cloned()
    }
}

/// The endpoint that a service without a client of the SDK is reached at, if one is named.
pub(crate) fn endpoint(sdk: &SdkConfig, service_id: &str) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id(service_id).env(ENDPOINT_URL).profile("endpoint_url").build().ok()?;
    let own = sdk.service_config().and_then(|services| services.load_config(key));
    own.or_else(|| sdk.endpoint_url().map(str::to_owned))
}

/// What the names of hosts of a region end in.
pub(crate) fn suffix(region: &str) -> &'static str {
    SUFFIXES.iter().find(|(begin, _)| region.starts_with(begin)).map_or("amazonaws.com", |(_, end)| end)
}

/// Where a service of a region is that names its hosts as most do.
pub(crate) fn regional(service: &str, region: &str, fips: bool, dual_stack: bool) -> String {
    let fips = if fips { "-fips" } else { "" };
    // Endpoints of both kinds of addresses have a domain of their own, in the partitions that have them.
    let suffix = match suffix(region) {
        "amazonaws.com" if dual_stack => "api.aws",
        "amazonaws.com.cn" if dual_stack => "api.amazonwebservices.com.cn",
        suffix => suffix,
    };
    format!("https://{service}{fips}.{region}.{suffix}")
}

/// The configuration of a tool: region, credentials and endpoint come from where the SDK looks for them.
pub async fn load() -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client());
    loader.timeout_config(timeouts()).retry_config(retries()).load().await
}

/// HTTP for clients of AWS: HTTP/1.1, no proxies.
pub fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(SharedConnections::default())
}

/// Short time-outs: whoever waits has a deadline of its own.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build()
}

/// Few retries: messages and sweeps are the larger net.
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_may_have_an_endpoint_of_its_own() {
        let own = [("AWS_ENDPOINT_URL_S3", "http://s3"), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets")];
        let place = Place {
            region: "eu-central-1".to_owned(),
            endpoint: Some("http://all".to_owned()),
            endpoints: own.map(|(name, url)| (name.to_owned(), url.to_owned())).into(),
            fips: false,
            dual_stack: false,
        };
        let sdk = of_function(&place);
        for (service, expected) in [("S3", "http://s3"), ("Secrets Manager", "http://secrets"), ("SQS", "http://all")] {
            assert_eq!(endpoint(&sdk, service).as_deref(), Some(expected));
        }
        let regional = of_function(&Place { endpoint: None, endpoints: BTreeMap::new(), ..place });
        assert_eq!(endpoint(&regional, "S3"), None);
    }
}
