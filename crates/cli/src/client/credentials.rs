//! AWS credentials and region, from where all tools of AWS take them: environment, profile (with SSO, roles and
//! processes), web identity, container, instance.

use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use jiff::Timestamp;
use pawl_aws::sdk::http_client;

/// An instance's metadata answers at once where there are any; a person at a desk must not wait for what is not there.
const INSTANCE_MOST: Duration = Duration::from_secs(1);
/// Attempts at an instance's metadata, which may be lost on the way once.
const INSTANCE_ATTEMPTS: u32 = 2;

/// The region to sign for: the one that the endpoint names, else that of the environment or the profile.
pub(super) async fn region(named: Option<&str>) -> anyhow::Result<String> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let region = configured().region().await.context(
        "the endpoint does not name its AWS region: set AWS_REGION, or `region` in the profile of AWS_PROFILE",
    )?;
    Ok(region.to_string())
}

/// The region of the environment or the profile.
fn configured() -> RegionProviderChain {
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(ProfileFileRegionProvider::new())
}

/// Loads credentials that are good at this time; `region` is where to ask for a role if nothing else says so.
pub(super) async fn load(region: &str, now: Timestamp) -> anyhow::Result<Credentials> {
    let provider = ProviderConfig::without_region().with_http_client(http_client());
    let instance = imds::Client::builder()
        .configure(&provider)
        .connect_timeout(INSTANCE_MOST)
        .read_timeout(INSTANCE_MOST)
        .max_attempts(INSTANCE_ATTEMPTS)
        .build();
    let chain = DefaultCredentialsChain::builder()
        .configure(provider)
        .region(configured().or_else(Region::new(region.to_owned())))
        .imds_client(instance)
        .build()
        .await;
    let credentials = match chain.provide_credentials().await {
        Ok(credentials) => credentials,
        // Says of each place only that it has none.
        Err(CredentialsError::CredentialsNotLoaded(_)) => bail!(
            "found no AWS credentials to sign the request with: set AWS_PROFILE to a profile of ~/.aws/config, or \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; an installation that takes tokens needs --token"
        ),
        Err(error) => return Err(error).context(
            "cannot load AWS credentials: if a login is over, log in again, such as by `aws sso login`, else mend what \
             AWS_PROFILE names",
        ),
    };
    match credentials.expiry() {
        Some(end) if end <= SystemTime::from(now) => bail!(
            "the AWS credentials expired at {}: log in again, such as by `aws sso login`",
            Timestamp::try_from(end)?
        ),
        _ => Ok(credentials),
    }
}
