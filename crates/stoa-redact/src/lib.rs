//! What may stand in a log, by its type.
//!
//! Whoever writes `%client` or `?request` into a line need not think of what it shows: an address of a client is a
//! [`ClientAddress`], and shows as much of itself as the operator has asked for ([`ClientAddresses`]); an SDP or a token
//! shows [`HIDDEN`]. To show the whole is a call of its own, [`ClientAddress::expose`].
//!
//! `cargo xtask tidy` holds the other half: a log macro names no raw address and no secret.

#![forbid(unsafe_code)]

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::atomic::{AtomicU8, Ordering},
};

/// What is shown in the place of what is not for everybody's eyes.
pub const HIDDEN: &str = "(hidden)";

/// How much of a client's address is shown, in the whole process.
static SHOWN: AtomicU8 = AtomicU8::new(ClientAddresses::Prefix as u8);

/// How much of a client's address is shown in logs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ClientAddresses {
    /// Nothing.
    None,
    /// The network: /24 of IPv4, /48 of IPv6, and no port.
    #[default]
    Prefix,
    /// All of it, port included.
    Full,
}

impl ClientAddresses {
    /// From now on addresses of clients show this much of themselves.
    pub fn apply(self) {
        SHOWN.store(self as u8, Ordering::Relaxed);
    }

    /// What holds now.
    pub fn current() -> Self {
        let shown = SHOWN.load(Ordering::Relaxed);
        let all = [Self::None, Self::Prefix, Self::Full];
        all.into_iter()
            .find(|one| *one as u8 == shown)
            .unwrap_or_default()
    }
}

/// Where a client's packets come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(SocketAddr);

impl ClientAddress {
    /// The whole address, for whoever needs it for something else than a log.
    pub fn expose(self) -> SocketAddr {
        self.0
    }

    fn show(self, shown: ClientAddresses, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match shown {
            ClientAddresses::None => f.write_str(HIDDEN),
            ClientAddresses::Prefix => match self.0.ip().to_canonical() {
                IpAddr::V4(ip) => {
                    let [a, b, c, _] = ip.octets();
                    write!(f, "{}/24", Ipv4Addr::new(a, b, c, 0))
                }
                IpAddr::V6(ip) => {
                    let [a, b, c, ..] = ip.segments();
                    write!(f, "{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
                }
            },
            ClientAddresses::Full => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl From<SocketAddr> for ClientAddress {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(ClientAddresses::current(), f)
    }
}

impl fmt::Debug for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A secret, an SDP or the like inside of something that may be shown: `.field("sdp_offer", &Hidden(&self.sdp_offer))`
/// in a `Debug` of one's own. Says whether there is one, and how long it is.
#[derive(Clone, Copy)]
pub struct Hidden<'a>(pub &'a str);

impl fmt::Display for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            0 => f.write_str("(none)"),
            bytes => write!(f, "(hidden, {bytes} bytes)"),
        }
    }
}

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shown(ClientAddress, ClientAddresses);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.show(self.1, f)
        }
    }

    fn shown(address: &str, shown: ClientAddresses) -> String {
        let address: SocketAddr = address.parse().expect("an address");
        Shown(address.into(), shown).to_string()
    }

    #[test]
    fn an_address_shows_as_much_as_is_asked_for() {
        use ClientAddresses::{Full, None, Prefix};
        for (address, prefix) in [
            ("192.0.2.77:4321", "192.0.2.0/24"),
            ("[2001:db8:1:2:3:4:5:6]:4321", "2001:db8:1::/48"),
            // What a socket of both versions calls an IPv4 client.
            ("[::ffff:192.0.2.77]:4321", "192.0.2.0/24"),
        ] {
            assert_eq!(shown(address, None), HIDDEN);
            assert_eq!(shown(address, Prefix), prefix);
            assert_eq!(shown(address, Full), address);
        }
    }

    #[test]
    fn whoever_does_not_ask_is_shown_a_prefix() {
        let address: SocketAddr = "192.0.2.77:4321".parse().expect("an address");
        let client = ClientAddress::from(address);
        assert_eq!(format!("{client} {client:?}"), "192.0.2.0/24 192.0.2.0/24");
        assert_eq!(client.expose(), address);
    }

    #[test]
    fn what_is_hidden_says_only_that_it_is_there() {
        let shown = format!(
            "{} {:?} {:?}",
            Hidden("s3cret"),
            Hidden("s3cret"),
            Hidden("")
        );
        assert_eq!(shown, "(hidden, 6 bytes) (hidden, 6 bytes) (none)");
    }
}
