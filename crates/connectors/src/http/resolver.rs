//! Looking up names, and leaving out the addresses that calls may not reach.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolving};

use super::address::{Place, place};
use super::allow_list::AllowList;
use super::own::{self, Own};
use crate::transport::Refusal;

/// Looks up the addresses of a name.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// Returns all addresses of `name`, in the order in which they are to be tried.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Passes on only such answers as may be reached. The connection is made to exactly these, so a name cannot
/// answer differently between the check and the call.
pub(super) struct GuardedResolver {
    pub(super) names: Arc<dyn Resolve>,
    pub(super) allow: Arc<AllowList>,
    /// Where this process listens at the port that is called.
    pub(super) own: Own,
}

impl reqwest::dns::Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, allow, own) = (Arc::clone(&self.names), Arc::clone(&self.allow), self.own.clone());
        Box::pin(async move {
            let answers = names.resolve(name.as_str()).await?;
            if answers.iter().any(|answer| own.is(*answer, None)) {
                return Err(Refusal(format!("{} is refused: {}", name.as_str(), own::WHY)).into());
            }
            let admitted = admit(name.as_str(), answers, &allow)?;
            // Port 0 stands for the port of the URL.
            let addresses: Addrs = Box::new(admitted.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// Keeps the answers that may be reached; refuses if there were answers and none is left.
fn admit(name: &str, answers: Vec<IpAddr>, allow: &AllowList) -> Result<Vec<IpAddr>, Refusal> {
    let listed = allow.mentions(name);
    let mut refused = None;
    let mut admitted = Vec::with_capacity(answers.len());
    for answer in answers {
        match place(answer) {
            Place::Public => admitted.push(answer),
            Place::Internal(_) if listed => admitted.push(answer),
            _ if allow.lists_address(answer, None) => admitted.push(answer),
            Place::Internal(words) | Place::Special(words) => refused = Some(words),
        }
    }
    match refused {
        Some(words) if admitted.is_empty() => Err(Refusal(format!(
            "{name} resolves to {words} address, which outside calls may not reach unless it is allow-listed"
        ))),
        _ => Ok(admitted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(name: &str, answers: &[&str], allow: &str) -> Result<Vec<String>, String> {
        let answers = answers.iter().map(|answer| answer.parse().expect("the test's address is one")).collect();
        let allow = AllowList::parse(allow).expect("the test's list is well-formed");
        match admit(name, answers, &allow) {
            Ok(admitted) => Ok(admitted.iter().map(ToString::to_string).collect()),
            Err(refusal) => Err(refusal.0),
        }
    }

    #[test]
    fn of_mixed_answers_only_the_public_ones_are_used() {
        let admitted = admitted("mixed.example", &["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"], "");
        assert_eq!(admitted, Ok(vec!["8.8.8.8".to_owned(), "2606:4700::1111".to_owned()]));
    }

    #[test]
    fn a_name_without_public_answers_is_refused() {
        let refused = admitted("rebound.example", &["127.0.0.1", "::ffff:10.0.0.1"], "").expect_err("none is public");
        insta::assert_snapshot!(refused, @"rebound.example resolves to a private address, which outside calls may not reach unless it is allow-listed");
    }

    #[test]
    fn a_listed_name_may_be_internal_but_not_a_metadata_address() {
        let listed = |answers| admitted("internal.example", answers, "internal.example");
        assert_eq!(listed(&["10.0.0.1", "169.254.169.254"]), Ok(vec!["10.0.0.1".to_owned()]));
        assert!(listed(&["169.254.169.254"]).is_err());
        assert!(listed(&["fd00:ec2::254"]).is_err());
    }

    #[test]
    fn a_listed_network_covers_names_that_resolve_to_it() {
        assert_eq!(admitted("any.example", &["10.1.0.7", "10.2.0.7"], "10.1.0.0/16"), Ok(vec!["10.1.0.7".to_owned()]));
        assert!(admitted("any.example", &["10.1.0.7"], "10.1.0.7:8080").is_err());
    }

    #[test]
    fn no_answers_are_no_refusal() {
        assert_eq!(admitted("empty.example", &[], ""), Ok(Vec::new()));
    }
}
