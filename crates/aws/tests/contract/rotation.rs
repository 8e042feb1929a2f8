//! A secret's value is kept for a while, and then read again.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_aws::ManagerSecrets;
use pawl_runtime::ports::{SecretError, Secrets};
use pawl_testkit::VirtualClock;

use crate::account::Account;
use crate::resources::{Resources, Uses};

#[tokio::test]
async fn a_rotated_secret_is_noticed_after_five_minutes() {
    let account = Account::fresh().await;
    let _resources = Resources::make(&account, Uses::Secrets).await;
    let clock = VirtualClock::new(Timestamp::now());
    let prefix = format!("{}/", account.prefix);
    let secrets = ManagerSecrets::new(&account.sdk, &prefix, Arc::new(clock.clone()));
    assert_eq!(secrets.get("contract").await, Ok("a secret value".to_owned()));

    let manager = aws_sdk_secretsmanager::Client::new(&account.sdk);
    let rotation = manager.put_secret_value().secret_id(format!("{prefix}contract")).secret_string("another");
    rotation.send().await.expect("a secret can be changed");
    clock.advance(SignedDuration::from_secs(299));
    assert_eq!(secrets.get("contract").await, Ok("a secret value".to_owned()));
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(secrets.get("contract").await, Ok("another".to_owned()));
}

/// A secret that is set after it was missed is found at once.
#[tokio::test]
async fn that_a_secret_is_missing_is_not_kept() {
    let account = Account::fresh().await;
    let prefix = format!("{}/", account.prefix);
    let secrets = ManagerSecrets::new(&account.sdk, &prefix, Arc::new(VirtualClock::new(Timestamp::now())));
    assert_eq!(secrets.get("contract").await, Err(SecretError::NotFound("contract".to_owned())));

    let _resources = Resources::make(&account, Uses::Secrets).await;
    assert_eq!(secrets.get("contract").await, Ok("a secret value".to_owned()));
}
