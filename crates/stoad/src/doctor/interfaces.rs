//! Whether what a node sends fits through the interfaces that carry media.

use std::{collections::BTreeSet, fs, net::IpAddr};

use if_addrs::Interface;
use stoa_net::Config;

use super::finding::Finding;

const CHECK: &str = "mtu";

/// What has to fit: 1,200 bytes of RTP with its seal, which is what browsers send at most, or 1,150 of DTLS, and the
/// headers of UDP and IPv6. Also the least that IPv6 works with (RFC 8200, section 5).
const LEAST: u32 = 1_280;

pub(super) fn check(media: &Config) -> Vec<Finding> {
    let Ok(interfaces) = if_addrs::get_if_addrs() else {
        return Vec::new();
    };
    let names: BTreeSet<&str> = interfaces
        .iter()
        .filter(|interface| carries(interface, media))
        .map(|interface| &*interface.name)
        .collect();
    names
        .into_iter()
        .filter_map(|name| Some(judge(name, mtu(name)?)))
        .collect()
}

/// Whether media goes by it.
fn carries(interface: &Interface, media: &Config) -> bool {
    media
        .bind
        .iter()
        .any(|bound| match (bound, interface.ip()) {
            (bound, ip) if *bound == ip => true,
            (IpAddr::V4(bound), IpAddr::V4(ip)) => bound.is_unspecified() && !ip.is_loopback(),
            (IpAddr::V6(bound), IpAddr::V6(ip)) => bound.is_unspecified() && !ip.is_loopback(),
            _ => false,
        })
}

fn mtu(interface: &str) -> Option<u32> {
    let text = fs::read_to_string(format!("/sys/class/net/{interface}/mtu"));
    text.ok()?.trim().parse().ok()
}

fn judge(name: &str, mtu: u32) -> Finding {
    let measured = format!("{name} takes packets of {mtu} bytes, {LEAST} are sent");
    match mtu >= LEAST {
        true => Finding::ok(CHECK, measured),
        false => Finding::fail(CHECK, measured, "handshakes are cut into fragments, which many networks drop: people join and hear nothing")
            .mend(format!("ip link set {name} mtu 1500")),
    }
}
