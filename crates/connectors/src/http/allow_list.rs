//! What an operator lets outside calls reach beside the public internet.

use std::net::IpAddr;
use std::str::FromStr;

use super::address::within;

/// Names, addresses and networks that outside calls may reach although they are not public.
///
/// Written as entries parted by commas or spaces: `127.0.0.1, localhost, 10.1.0.0/16, internal.example`, each
/// optionally with a port (`127.0.0.1:8080`, `[::1]:8080`, `internal.example:443`).
/// - An address or network without a port also covers names that resolve to it; with a port it covers only
///   URLs that spell the address.
/// - A name may resolve to a private, loopback, unique-local or carrier-shared address, but to a link-local or
///   metadata address only if that is listed too. A name listed with ports is reached at these ports only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    entries: Vec<Entry>,
}

/// The allow-list holds entries that cannot be read; all of them are named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("; "))]
pub struct AllowListError {
    /// One sentence for each bad entry.
    pub problems: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    Network(IpAddr, u8),
}

/// What the list says of a name at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// Nothing.
    No,
    /// It may be reached.
    Yes,
    /// It is listed with other ports only.
    OtherPort,
}

impl AllowList {
    /// Reads a list; an empty text is an empty list.
    pub fn parse(text: &str) -> Result<Self, AllowListError> {
        let mut list = Self::default();
        let mut problems = Vec::new();
        for entry in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty()) {
            match entry.parse() {
                Ok(entry) => list.entries.push(entry),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(list) } else { Err(AllowListError { problems }) }
    }

    /// Whether an address is listed: with this port or without any; only without any if the port is unknown.
    pub(super) fn lists_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.entries.iter().any(|entry| match entry.host {
            Host::Network(network, prefix) => {
                (entry.port.is_none() || entry.port == port) && within(address, network, prefix)
            }
            Host::Name(_) => false,
        })
    }

    /// What is said of a name at a port. A final dot and the letters' case do not matter.
    pub(super) fn lists_name(&self, name: &str, port: u16) -> Listed {
        let mut listed = Listed::No;
        for entry in self.named(name) {
            if entry.port.is_none_or(|entry| entry == port) {
                return Listed::Yes;
            }
            listed = Listed::OtherPort;
        }
        listed
    }

    /// Whether a name is listed with any port.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Entry> {
        let name = name.strip_suffix('.').unwrap_or(name);
        self.entries
            .iter()
            .filter(move |entry| matches!(&entry.host, Host::Name(listed) if listed.eq_ignore_ascii_case(name)))
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "`{text}`: expected a host name, an address or a network such as 10.1.0.0/16, with or without a port, \
                 and neither scheme nor path"
            )
        };
        if let Some(network) = network(text) {
            return Ok(Self { host: network, port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().map_err(|_| bad())?)),
            None => (text, None),
        };
        let host = network(host).or_else(|| name(host)).ok_or_else(bad)?;
        Ok(Self { host, port })
    }
}

/// `10.1.0.0/16`, `127.0.0.1`, `::1` or `[::1]`.
fn network(text: &str) -> Option<Host> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bare {
        Some(v6) => IpAddr::V6(v6.parse().ok()?),
        None => address.parse::<IpAddr>().ok()?,
    };
    let canonical = address.to_canonical();
    if canonical != address && prefix.is_some() {
        return None; // the prefix would count bits of the other family
    }
    let bits = if canonical.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(bits);
    (prefix <= bits).then_some(Host::Network(canonical, prefix))
}

/// A DNS name, in lower case and without the final dot.
fn name(text: &str) -> Option<Host> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // A last label of digits is an address gone wrong (`10.1.0.256`), never a name.
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    (name.split('.').all(label) && !numeric).then_some(Host::Name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> AllowList {
        AllowList::parse(text).expect("the test's list is well-formed")
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("the test's address is one")
    }

    #[test]
    fn addresses_and_networks_are_listed() {
        let list = list("127.0.0.1, 10.1.0.0/16 [::1] fd00::/8,192.168.0.9:8080,[fe80::1]:80");
        for (text, port, expected) in [
            ("127.0.0.1", Some(80), true),
            ("127.0.0.1", None, true),
            ("::ffff:127.0.0.1", None, true),
            ("127.0.0.2", Some(80), false),
            ("10.1.200.3", None, true),
            ("10.2.0.0", None, false),
            ("::1", Some(443), true),
            ("fd12::1", None, true),
            ("192.168.0.9", Some(8080), true),
            ("192.168.0.9", Some(80), false),
            ("192.168.0.9", None, false),
            ("fe80::1", Some(80), true),
        ] {
            assert_eq!(list.lists_address(address(text), port), expected, "{text} {port:?}");
        }
    }

    #[test]
    fn names_are_listed_whatever_their_case_and_final_dot() {
        let list = list("LocalHost, internal.example.:8080");
        assert_eq!(list.lists_name("localhost.", 1), Listed::Yes);
        assert_eq!(list.lists_name("Internal.Example", 8080), Listed::Yes);
        assert_eq!(list.lists_name("internal.example", 9090), Listed::OtherPort);
        assert_eq!(list.lists_name("other.internal.example", 8080), Listed::No);
        assert!(list.mentions("internal.example"));
        assert!(!list.mentions("127.0.0.1"));
    }

    #[test]
    fn an_empty_text_lists_nothing() {
        assert_eq!(list(" , "), AllowList::default());
    }

    #[test]
    fn every_bad_entry_is_named() {
        let error = AllowList::parse("localhost,http://a.example,10.0.0.0/33,10.1.0.256,a.example:x,*.example,a..b")
            .expect_err("six entries are bad");
        let named: Vec<_> = error.problems.iter().filter_map(|problem| problem.split('`').nth(1)).collect();
        assert_eq!(named, ["http://a.example", "10.0.0.0/33", "10.1.0.256", "a.example:x", "*.example", "a..b"]);
    }
}
