//! In the place of `signer`, in a program that was built without AWS: nothing is signed.

use jiff::Timestamp;
use reqwest::Request;

use crate::coded::without_aws;

/// There is none.
pub(super) enum Signer {}

impl Signer {
    /// Fails.
    pub(super) fn new(_region: Option<String>) -> anyhow::Result<Self> {
        Err(without_aws("a request that is signed with AWS credentials"))
    }

    /// Never called.
    #[expect(clippy::unused_async, reason = "the signer in the place of which it is waits for credentials")]
    pub(super) async fn sign(&self, _request: &mut Request, _now: Timestamp) -> anyhow::Result<()> {
        match *self {}
    }
}
