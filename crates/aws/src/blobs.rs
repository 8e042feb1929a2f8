//! Blobs on S3.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use pawl_runtime::ports::{BlobError, Blobs};

use crate::failure::Failure;

/// Blobs as objects of a bucket, each under its hash.
#[derive(Clone)]
pub struct S3Blobs {
    client: Client,
    bucket: String,
}

impl S3Blobs {
    /// Makes the client. A bucket is part of the path where an endpoint is named, since no name then leads to it.
    pub fn new(sdk: &SdkConfig, bucket: impl Into<String>) -> Self {
        let by_path = sdk.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(sdk).force_path_style(by_path).build();
        Self { client: Client::from_conf(config), bucket: bucket.into() }
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, sha256: &str, content: Bytes) -> Result<(), BlobError> {
        let put = self.client.put_object().bucket(&self.bucket).key(sha256).body(ByteStream::from(content));
        put.send().await.map_err(|error| BlobError::Unavailable(Failure::of(&error).to_string()))?;
        Ok(())
    }

    async fn get(&self, sha256: &str) -> Result<Bytes, BlobError> {
        if !is_hash(sha256) {
            return Err(BlobError::NotFound(sha256.to_owned()));
        }
        let get = self.client.get_object().bucket(&self.bucket).key(sha256);
        let object = get.send().await.map_err(|error| match error.as_service_error() {
            Some(GetObjectError::NoSuchKey(_)) => BlobError::NotFound(sha256.to_owned()),
            _ => BlobError::Unavailable(Failure::of(&error).to_string()),
        })?;
        let content = object.body.collect().await.map_err(|error| BlobError::Unavailable(error.to_string()))?;
        Ok(content.into_bytes())
    }
}

/// Whether a name can be that of a blob. Others are not even asked for.
fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
