//! Where the process that makes the calls listens itself.

use std::net::{IpAddr, SocketAddr};

use super::address::{Place, place};

/// Why its own address is refused, in words that go on after "is refused:".
pub(super) const WHY: &str = "pawl itself listens there, and a step may not act as an operator";

/// Addresses at which this process listens.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    addresses: Vec<SocketAddr>,
}

impl Own {
    pub(super) fn at(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses }
    }

    /// Whether it listens at this port on any address.
    pub(super) fn has_port(&self, port: Option<u16>) -> bool {
        self.addresses.iter().any(|own| Some(own.port()) == port)
    }

    /// Whether a call to this address may reach it; at any of its ports if the port is unknown.
    ///
    /// All of loopback counts if it listens on loopback, and the unspecified address leads there too; if it listens on
    /// all interfaces, every address that is not public may be one of this machine.
    pub(super) fn is(&self, address: IpAddr, port: Option<u16>) -> bool {
        let address = address.to_canonical();
        let here = address.is_loopback() || address.is_unspecified();
        self.addresses.iter().filter(|own| port.is_none_or(|port| port == own.port())).any(|own| {
            let ip = own.ip().to_canonical();
            ip == address
                || (ip.is_loopback() && here)
                || (ip.is_unspecified() && (here || place(address) != Place::Public))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_the_own_listener_is_known() {
        let is = |own: &str, address: &str, port| {
            let own = Own::at(vec![own.parse().expect("the test's address is one")]);
            own.is(address.parse().expect("the test's address is one"), port)
        };
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"] {
            assert!(is("127.0.0.1:7411", address, Some(7411)), "{address}");
            assert!(is("0.0.0.0:7411", address, None), "{address}");
            assert!(!is("127.0.0.1:7411", address, Some(7412)), "{address}");
        }
        assert!(is("10.0.0.5:7411", "10.0.0.5", Some(7411)));
        assert!(!is("10.0.0.5:7411", "127.0.0.1", Some(7411)));
        assert!(is("[::]:7411", "10.0.0.5", Some(7411)), "one of its interfaces, perhaps");
        assert!(!is("[::]:7411", "8.8.8.8", Some(7411)));
    }
}
