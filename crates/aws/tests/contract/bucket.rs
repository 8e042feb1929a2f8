//! The bucket of a test.

use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials;
use reqwest::{Client, Response};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};

use crate::account::Account;

/// How long a signature is good.
const GOOD: Duration = Duration::from_mins(1);

/// A bucket by the name of the account's part, and what requests to it are made with.
pub(crate) struct TestBucket {
    http: Client,
    bucket: Bucket,
    credentials: Credentials,
}

impl TestBucket {
    pub(crate) async fn of(account: &Account) -> Self {
        let region = account.sdk.region().map(ToString::to_string).expect("an account has a region");
        let (endpoint, style) = match &account.emulator {
            Some(endpoint) => (endpoint.clone(), UrlStyle::Path),
            None => (format!("https://s3.{region}.amazonaws.com"), UrlStyle::VirtualHost),
        };
        let endpoint = endpoint.parse().expect("an endpoint is a URL");
        let bucket =
            Bucket::new(endpoint, style, account.prefix.clone(), region).expect("a name of digits and letters");
        let provider = account.sdk.credentials_provider().expect("an account has credentials");
        let found = provider.provide_credentials().await.expect("credentials can be loaded");
        let (key, secret) = (found.access_key_id(), found.secret_access_key());
        let credentials = match found.session_token() {
            Some(token) => Credentials::new_with_token(key, secret, token),
            None => Credentials::new(key, secret),
        };
        Self { http: Client::new(), bucket, credentials }
    }

    pub(crate) async fn make(&self) {
        let action = self.bucket.create_bucket(&self.credentials);
        let request = self.http.put(action.sign(GOOD)).body(action.body());
        passed(request.send().await).await.expect("a bucket can be made");
    }

    /// Removes its objects and itself.
    pub(crate) async fn remove(&self) -> reqwest::Result<()> {
        let action = self.bucket.list_objects_v2(Some(&self.credentials));
        let listed = passed(self.http.get(action.sign(GOOD)).send().await).await?;
        for object in ListObjectsV2::parse_response(&listed).map(|listed| listed.contents).unwrap_or_default() {
            let action = self.bucket.delete_object(Some(&self.credentials), &object.key);
            passed(self.http.delete(action.sign(GOOD)).send().await).await?;
        }
        let action = self.bucket.delete_bucket(&self.credentials);
        passed(self.http.delete(action.sign(GOOD)).send().await).await?;
        Ok(())
    }
}

async fn passed(answer: reqwest::Result<Response>) -> reqwest::Result<String> {
    answer?.error_for_status()?.text().await
}
