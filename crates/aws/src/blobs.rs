//! Blobs on S3.
//!
//! Requests are signed by `rusty-s3` and sent like all others. The SDK for S3 would do the same; two thirds of a megabyte
//! of checksum tables come with it, in each function.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use bytes::Bytes;
use futures::future::try_join_all;
use pawl_runtime::ports::{BlobError, BlobKey, BlobOwner, Blobs, Random};
use reqwest::{Method, StatusCode, Url};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};

use crate::failure::story;
use crate::http::Connections;
use crate::pace::Pace;
use crate::sdk::{self, ATTEMPT, CONNECT};

/// Attempts of one call. Each may be repeated: an object never changes.
const ATTEMPTS: u32 = 3;

/// How long a signature is good: a request is sent at once, and clocks differ by up to as much as the service allows.
const GOOD: Duration = Duration::from_mins(15);

/// The code of an object that is not there.
const NO_SUCH_KEY: &str = "NoSuchKey";

/// The code of a request that did not arrive in time, status 400.
const REQUEST_TIMEOUT: &str = "RequestTimeout";

/// Blobs as objects of a bucket, each under its owner and its hash.
#[derive(Clone)]
pub struct S3Blobs {
    connections: Arc<Connections>,
    bucket: Bucket,
    credentials: Option<SharedCredentialsProvider>,
    pace: Pace,
}

/// Most objects that one listing names; as many are removed in one call.
const LISTED: usize = 1_000;

/// Objects that are removed beside each other.
const AT_ONCE: usize = 20;

/// What is asked of the service.
enum Asked<'a> {
    Put(&'a BlobKey, Bytes),
    Get(&'a BlobKey),
    /// The first objects of an owner.
    List(&'a BlobOwner),
    Delete(&'a BlobKey),
}

impl Asked<'_> {
    fn method(&self) -> Method {
        match self {
            Self::Put(..) => Method::PUT,
            Self::Get(_) | Self::List(_) => Method::GET,
            Self::Delete(_) => Method::DELETE,
        }
    }

    fn content(&self) -> Bytes {
        if let Self::Put(_, content) = self { content.clone() } else { Bytes::new() }
    }

    fn sign(&self, bucket: &Bucket, credentials: &Credentials) -> Url {
        let credentials = Some(credentials);
        match self {
            Self::Put(key, _) => bucket.put_object(credentials, key.as_str()).sign(GOOD),
            Self::Get(key) => bucket.get_object(credentials, key.as_str()).sign(GOOD),
            Self::Delete(key) => bucket.delete_object(credentials, key.as_str()).sign(GOOD),
            // `ListObjectsV2`: reading the bucket itself. The library's own needs a parser of XML, for one list of keys.
            Self::List(owner) => {
                let mut list = bucket.get_object(credentials, "");
                let query = list.query_mut();
                query.insert("list-type", "2");
                query.insert("max-keys", LISTED.to_string());
                query.insert("prefix", owner.prefix());
                list.sign(GOOD)
            }
        }
    }
}

/// An answer of the service.
enum Answer {
    Content(Bytes),
    /// With a code of its own.
    Refused(StatusCode, String),
}

impl S3Blobs {
    /// Reads where the bucket is. It is part of the path where an endpoint is named, since no name then leads to it.
    pub fn new(sdk: &SdkConfig, bucket: impl Into<String>, random: Arc<dyn Random>) -> Result<Self, BlobError> {
        let bucket = bucket.into();
        let wrong = |why: &dyn std::fmt::Display| BlobError::Unavailable(format!("the bucket {bucket:?}: {why}"));
        let region = sdk.region().ok_or_else(|| wrong(&"no region of AWS is known"))?.to_string();
        let (endpoint, style) = match sdk::endpoint(sdk, "S3") {
            Some(endpoint) => (endpoint, UrlStyle::Path),
            None => (
                endpoint(&region, sdk.use_fips() == Some(true), sdk.use_dual_stack() == Some(true)),
                UrlStyle::VirtualHost,
            ),
        };
        let endpoint: Url = endpoint.parse().map_err(|error| wrong(&error))?;
        let place = Bucket::new(endpoint, style, bucket.clone(), region).map_err(|error| wrong(&error))?;
        Ok(Self {
            connections: Arc::new(Connections::new((Some(CONNECT), None))),
            bucket: place,
            credentials: sdk.credentials_provider(),
            pace: Pace::new(random),
        })
    }

    /// Sends a request until it is answered, or was tried often enough.
    async fn send(&self, asked: &Asked<'_>) -> Result<Answer, BlobError> {
        let credentials = self.credentials().await?;
        let mut attempt = 1;
        loop {
            let url = asked.sign(&self.bucket, &credentials);
            let result = self.exchange(asked, url).await;
            let is_over = match &result {
                Ok(Answer::Refused(status, code)) => {
                    !status.is_server_error() && *status != StatusCode::TOO_MANY_REQUESTS && code != REQUEST_TIMEOUT
                }
                Ok(Answer::Content(_)) => true,
                Err(_) => false,
            };
            if is_over || attempt == ATTEMPTS {
                return result.map_err(|error| BlobError::Unavailable(story(&error)));
            }
            self.pace.pause(attempt).await;
            attempt += 1;
        }
    }

    async fn exchange(&self, asked: &Asked<'_>, url: Url) -> reqwest::Result<Answer> {
        let exchange = async {
            let client = self.connections.client(url.scheme() == "https")?;
            let request = client.request(asked.method(), url).timeout(ATTEMPT).body(asked.content());
            let answer = request.send().await?;
            let status = answer.status();
            let content = answer.bytes().await?;
            Ok(if status.is_success() { Answer::Content(content) } else { Answer::Refused(status, code(&content)) })
        };
        // A presigned URL is as good as a password.
        exchange.await.map_err(reqwest::Error::without_url)
    }

    async fn credentials(&self) -> Result<Credentials, BlobError> {
        let unavailable = |story: String| BlobError::Unavailable(format!("credentials of AWS: {story}"));
        let provider = self.credentials.as_ref().ok_or_else(|| unavailable("there are none".to_owned()))?;
        let found = provider.provide_credentials().await.map_err(|error| unavailable(story(&error)))?;
        let (key, secret) = (found.access_key_id(), found.secret_access_key());
        Ok(match found.session_token() {
            Some(token) => Credentials::new_with_token(key, secret, token),
            None => Credentials::new(key, secret),
        })
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError> {
        match self.send(&Asked::Put(key, content)).await? {
            Answer::Content(_) => Ok(()),
            Answer::Refused(status, code) => Err(refused(status, &code)),
        }
    }

    async fn get(&self, key: &BlobKey) -> Result<Bytes, BlobError> {
        match self.send(&Asked::Get(key)).await? {
            Answer::Content(content) => Ok(content),
            Answer::Refused(_, code) if code == NO_SUCH_KEY => Err(BlobError::NotFound(key.to_string())),
            Answer::Refused(status, code) => Err(refused(status, &code)),
        }
    }

    async fn remove(&self, owner: &BlobOwner) -> Result<bool, BlobError> {
        let listed = match self.send(&Asked::List(owner)).await? {
            Answer::Content(listed) => keys(owner, &listed),
            Answer::Refused(status, code) => return Err(refused(status, &code)),
        };
        for some in listed.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|key| self.delete(key))).await?;
        }
        Ok(listed.len() == LISTED)
    }
}

impl S3Blobs {
    async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        match self.send(&Asked::Delete(key)).await? {
            Answer::Content(_) => Ok(()),
            Answer::Refused(status, code) => Err(refused(status, &code)),
        }
    }
}

/// The keys of a listing: `…<Key>…</Key>…`. Of each, the last part is its hash, whichever way the rest is written.
fn keys(owner: &BlobOwner, listing: &[u8]) -> Vec<BlobKey> {
    let text = String::from_utf8_lossy(listing);
    let found = text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
    found.filter_map(|(key, _)| BlobKey::new(owner, key.get(key.len().checked_sub(64)?..)?).ok()).collect()
}

fn refused(status: StatusCode, code: &str) -> BlobError {
    BlobError::Unavailable(format!("S3 answered {} {code}", status.as_u16()))
}

/// Where S3 is in a region: the service's endpoints, in "Amazon S3 endpoints and quotas" of the AWS General Reference.
fn endpoint(region: &str, fips: bool, dual_stack: bool) -> String {
    let service = if fips { "s3-fips" } else { "s3" };
    let stack = if dual_stack { ".dualstack" } else { "" };
    let suffix = sdk::suffix(region);
    format!("https://{service}{stack}.{region}.{suffix}")
}

/// The code of an error: `<Error><Code>…</Code>…`.
fn code(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    code.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use aws_config::Region;
    use aws_credential_types::Credentials;
    use pawl_connectors::SystemRandom;
    use pawl_runtime::ports::BlobOwner;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_error_holds_no_part_of_a_signed_address() {
        let credentials = Credentials::new("AKIDEXAMPLE", "a secret", Some("a token".to_owned()), None, "test");
        let sdk = SdkConfig::builder()
            .region(Region::new("us-east-1"))
            // Nobody listens there.
            .endpoint_url("http://127.0.0.1:1")
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let blobs = S3Blobs::new(&sdk, "blobs", Arc::new(SystemRandom)).expect("a name of letters");
        let key = BlobKey::new(&BlobOwner::event("evt_1"), &"0".repeat(64)).expect("it is a hash");
        let error = blobs.get(&key).await.expect_err("nobody answers").to_string();
        for part in ["X-Amz", "AKIDEXAMPLE", "token", "127.0.0.1"] {
            assert!(!error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_bucket_that_is_part_of_no_address_is_refused() {
        let sdk = SdkConfig::builder().region(Region::new("us-east-1")).build();
        let refused = S3Blobs::new(&sdk, "no/bucket", Arc::new(SystemRandom)).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|error| error.contains("no/bucket")));
    }

    #[test]
    fn a_region_has_its_endpoint() {
        assert_eq!(endpoint("eu-west-1", false, false), "https://s3.eu-west-1.amazonaws.com");
        assert_eq!(endpoint("us-gov-west-1", true, true), "https://s3-fips.dualstack.us-gov-west-1.amazonaws.com");
        assert_eq!(endpoint("cn-north-1", false, false), "https://s3.cn-north-1.amazonaws.com.cn");
        assert_eq!(endpoint("eusc-de-east-1", false, false), "https://s3.eusc-de-east-1.amazonaws.eu");
    }

    #[test]
    fn a_listing_names_the_blobs_of_its_owner() {
        let (owner, hashes) = (BlobOwner::execution("é"), ["0a".repeat(32), "ff".repeat(32)]);
        let entry = |hash: &String| format!("<Contents><Key>{}{hash}</Key><Size>7</Size></Contents>", owner.prefix());
        let entries = hashes.iter().map(entry).collect::<String>();
        let listing = format!(
            "<ListBucketResult><KeyCount>2</KeyCount><Prefix>{}</Prefix>{entries}</ListBucketResult>",
            owner.prefix()
        );
        let expected = hashes.iter().map(|hash| BlobKey::new(&owner, hash).expect("it is a hash"));
        assert_eq!(keys(&owner, listing.as_bytes()), expected.collect::<Vec<_>>());
        assert_eq!(
            keys(&owner, b"<ListBucketResult><Contents><Key>\xc3\xa9short</Key></Contents></ListBucketResult>"),
            []
        );
    }

    #[test]
    fn an_error_says_its_code() {
        let answer =
            br#"<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>It is not there.</Message></Error>"#;
        assert_eq!(code(answer), NO_SUCH_KEY);
        assert_eq!(code(b"gateway time-out"), "");
    }
}
