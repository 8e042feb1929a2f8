//! Which addresses outside calls may reach.
//!
//! The tables follow the IANA special-purpose registries (RFC 6890 and its updates) and the documented
//! metadata addresses of the clouds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Anyone's on the internet.
    Public,
    /// The operator's own network, with the words for it; a name that is allow-listed may resolve to it.
    Internal(&'static str),
    /// Not a place for calls, with the words for it; reached only if the address itself is allow-listed.
    Special(&'static str),
}

use Place::{Internal, Public, Special};

/// Where clouds hand out credentials to whoever asks from inside; checked before the ranges that hold them.
const METADATA: &[IpAddr] = &[
    v4(169, 254, 169, 254), // AWS, GCP, Azure, and most others
    v4(169, 254, 170, 2),   // ECS task credentials
    v4(169, 254, 170, 23),  // EKS pod identity
    v4(100, 100, 100, 200), // Alibaba
    v4(192, 0, 0, 192),     // Oracle
    v4(168, 63, 129, 16),   // Azure's platform channel, a public address by its range
    v6(0xfd00, 0x0ec2, 0x254),
    v6(0xfd00, 0x0ec2, 0x23),
    v6(0xfd20, 0x00ce, 0x254), // GCP
];

const V4: &[(Ipv4Addr, u8, Place)] = &[
    (Ipv4Addr::UNSPECIFIED, 8, Special("an unspecified")),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Internal("a private")),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Internal("a carrier-shared")),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Internal("a loopback")),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Special("a link-local")),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Internal("a private")),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Special("a reserved")),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Special("a documentation")),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Special("a reserved")),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Internal("a private")),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Special("a benchmarking")),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Special("a documentation")),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Special("a documentation")),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Special("a multicast")),
    (Ipv4Addr::BROADCAST, 32, Special("a broadcast")),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Special("a reserved")),
];

const V6: &[(Ipv6Addr, u8, Place)] = &[
    (Ipv6Addr::LOCALHOST, 128, Internal("a loopback")),
    (Ipv6Addr::UNSPECIFIED, 128, Special("an unspecified")),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Internal("a unique-local")),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Special("a link-local")),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, Special("a multicast")),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Special("a reserved")), // Teredo among them
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32, Special("a documentation")),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Special("a documentation")),
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Public), // all of global unicast that is handed out
];

/// Sorts an address. IPv6 forms that carry an IPv4 address (mapped, NAT64, 6to4) are what they carry.
pub(super) fn place(address: IpAddr) -> Place {
    let address = address.to_canonical();
    if METADATA.contains(&address) {
        return Special("a metadata");
    }
    match address {
        IpAddr::V4(v4) => find(V4, |(net, prefix)| v4_in(v4, net, prefix)).unwrap_or(Public),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => place(IpAddr::V4(v4)),
            None => find(V6, |(net, prefix)| v6_in(v6, net, prefix)).unwrap_or(Special("a reserved")),
        },
    }
}

/// Whether `address` lies in `network/prefix`; IPv4-mapped addresses count as IPv4.
pub(super) fn within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    match (address.to_canonical(), network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => v4_in(address, network, prefix),
        (IpAddr::V6(address), IpAddr::V6(network)) => v6_in(address, network, prefix),
        _ => false,
    }
}

/// The IPv4 address that a NAT64 gateway (RFC 6052) or a 6to4 relay (RFC 3056) would reach for this one.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let ([0x0064, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..]) = address.segments() else { return None };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

fn find<N: Copy>(table: &[(N, u8, Place)], holds: impl Fn((N, u8)) -> bool) -> Option<Place> {
    table.iter().find(|(net, prefix, _)| holds((*net, *prefix))).map(|(_, _, place)| *place)
}

fn v4_in(address: Ipv4Addr, network: Ipv4Addr, prefix: u8) -> bool {
    (address.to_bits() ^ network.to_bits()).checked_shr(32 - u32::from(prefix)).unwrap_or(0) == 0
}

fn v6_in(address: Ipv6Addr, network: Ipv6Addr, prefix: u8) -> bool {
    (address.to_bits() ^ network.to_bits()).checked_shr(128 - u32::from(prefix)).unwrap_or(0) == 0
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(first: u16, second: u16, last: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(address: &str) -> &'static str {
        match place(address.parse().expect("the test's address is one")) {
            Public => "public",
            Internal(words) | Special(words) => words,
        }
    }

    #[test]
    fn special_addresses_are_told_from_public_ones() {
        for (address, expected) in [
            ("0.0.0.0", "an unspecified"),
            ("0.1.2.3", "an unspecified"),
            ("10.255.255.255", "a private"),
            ("100.63.255.255", "public"),
            ("100.64.0.1", "a carrier-shared"),
            ("100.100.100.200", "a metadata"),
            ("100.128.0.0", "public"),
            ("127.0.0.1", "a loopback"),
            ("127.255.255.254", "a loopback"),
            ("168.63.129.16", "a metadata"),
            ("169.254.0.1", "a link-local"),
            ("169.254.169.254", "a metadata"),
            ("172.15.255.255", "public"),
            ("172.16.0.1", "a private"),
            ("172.31.255.255", "a private"),
            ("172.32.0.0", "public"),
            ("192.0.0.1", "a reserved"),
            ("192.0.2.7", "a documentation"),
            ("192.168.1.1", "a private"),
            ("198.19.255.255", "a benchmarking"),
            ("198.51.100.1", "a documentation"),
            ("203.0.113.1", "a documentation"),
            ("224.0.0.1", "a multicast"),
            ("240.0.0.1", "a reserved"),
            ("255.255.255.255", "a broadcast"),
            ("8.8.8.8", "public"),
            ("::", "an unspecified"),
            ("::1", "a loopback"),
            ("::2", "a reserved"),
            ("::7f00:1", "a reserved"),
            ("fc00::1", "a unique-local"),
            ("fd00:ec2::254", "a metadata"),
            ("fe80::1", "a link-local"),
            ("fec0::1", "a reserved"),
            ("ff02::1", "a multicast"),
            ("2001::1", "a reserved"),
            ("2001:db8::1", "a documentation"),
            ("3fff::1", "a documentation"),
            ("4000::1", "a reserved"),
            ("64:ff9b:1::1", "a reserved"),
            ("2606:4700::1111", "public"),
        ] {
            assert_eq!(words(address), expected, "{address}");
        }
    }

    #[test]
    fn an_address_inside_another_counts() {
        for (address, expected) in [
            ("::ffff:127.0.0.1", "a loopback"),
            ("::ffff:169.254.169.254", "a metadata"),
            ("::ffff:8.8.8.8", "public"),
            ("64:ff9b::10.0.0.1", "a private"),
            ("64:ff9b::169.254.169.254", "a metadata"),
            ("64:ff9b::8.8.8.8", "public"),
            ("2002:7f00:1::", "a loopback"),
            ("2002:a9fe:a9fe::1", "a metadata"),
            ("2002:808:808::1", "public"),
        ] {
            assert_eq!(words(address), expected, "{address}");
        }
    }

    #[test]
    fn prefixes_of_any_length_hold_what_they_name() {
        let within = |address: &str, network: &str, prefix| {
            within(address.parse().expect("address"), network.parse().expect("network"), prefix)
        };
        assert!(within("10.1.255.1", "10.1.0.0", 16));
        assert!(!within("10.2.0.0", "10.1.0.0", 16));
        assert!(within("10.1.2.3", "10.1.2.3", 32));
        assert!(!within("10.1.2.4", "10.1.2.3", 32));
        assert!(within("8.8.8.8", "0.0.0.0", 0));
        assert!(within("::ffff:10.1.2.3", "10.1.0.0", 16));
        assert!(within("fd00::1", "fd00::", 8));
        assert!(within("fe80::1", "::", 0));
        assert!(!within("10.1.2.3", "::", 0));
    }
}
