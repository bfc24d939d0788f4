//! Whether clients reach the node at the addresses that it tells them.

use std::net::{IpAddr, Ipv6Addr};

use stoa_net::{Advertised, Config};

use super::finding::Finding;

const CHECK: &str = "addresses";

pub(super) fn check(media: &Config) -> Vec<Finding> {
    let (Ok(advertised), Ok(interfaces)) = (media.advertised(), if_addrs::get_if_addrs()) else {
        return Vec::new();
    };
    let own: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).collect();
    judge(media, &advertised, &own)
}

fn judge(media: &Config, advertised: &[Advertised], own: &[IpAddr]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = advertised
        .iter()
        .map(|advertised| address(media, advertised, own))
        .collect();
    findings.extend(loopback(media, advertised));
    findings.extend(version_6(media, advertised, own));
    findings
}

/// One that is advertised.
fn address(media: &Config, advertised: &Advertised, own: &[IpAddr]) -> Finding {
    let ip = advertised.ip;
    if ip.is_unspecified() || ip.is_multicast() || is_link_local(ip) {
        let measured = format!("{ip} is advertised, and is no address that anybody could send to");
        return Finding::fail(CHECK, measured, "people join and hear nothing")
            .mend("media.advertise: the address at which clients reach this machine (ip address)");
    }
    // What is bound to loopback alone is not reached by any other address.
    let same = |bound: &&IpAddr| bound.is_ipv4() == ip.is_ipv4();
    let is_inside = media
        .bind
        .iter()
        .find(same)
        .is_some_and(IpAddr::is_loopback);
    if is_inside && !ip.is_loopback() {
        let measured = format!("{ip} is advertised, and media is bound to loopback alone");
        return Finding::fail(
            CHECK,
            measured,
            "nobody outside of this machine hears anything",
        )
        .mend("media.bind: ['0.0.0.0', '::'], or the address itself");
    }
    if own.contains(&ip) {
        return Finding::ok(CHECK, format!("{ip} is advertised, and is this machine's"));
    }
    if is_example(ip) {
        let measured = format!(
            "{ip} is advertised, which stands for an address in examples (RFC 5737, RFC 3849)"
        );
        return Finding::fail(CHECK, measured, "people join and hear nothing")
            .mend("media.advertise: the address at which clients reach this machine (ip address)");
    }
    let port = advertised.port.unwrap_or(media.port);
    let ask = if media.tcp { "-vz" } else { "-vzu" };
    let measured =
        format!("{ip} is advertised, and no address of this machine: a 1:1 NAT has to map it");
    Finding::warn(
        CHECK,
        measured,
        "if it is not mapped, people join and hear nothing",
    )
    .mend(format!(
        "nc {ask} {ip} {port}    (on a machine outside, while the node runs)"
    ))
}

/// A client that is told of loopback sends to itself.
fn loopback(media: &Config, advertised: &[Advertised]) -> Option<Finding> {
    let mine = advertised
        .iter()
        .filter(|advertised| advertised.ip.is_loopback());
    let is_public = media.bind.iter().any(|bound| !bound.is_loopback());
    let mend =
        "take it out of media.advertise; to try things on one machine, media.bind: ['127.0.0.1']";
    match (mine.count(), is_public) {
        (0, _) | (_, false) => None,
        (all, true) if all == advertised.len() => {
            let measured = "loopback alone is advertised, and media is bound to more".to_owned();
            Some(
                Finding::fail(
                    CHECK,
                    measured,
                    "nobody outside of this machine hears anything",
                )
                .mend(mend),
            )
        }
        _ => {
            let measured = "loopback is advertised beside other addresses".to_owned();
            let meaning = "clients elsewhere try their own machine first, and connect later";
            Some(Finding::warn(CHECK, measured, meaning).mend(mend))
        }
    }
}

/// Bound, had and advertised should agree.
fn version_6(media: &Config, advertised: &[Advertised], own: &[IpAddr]) -> Option<Finding> {
    let is_bound = media.bind.iter().any(IpAddr::is_ipv6);
    let is_told = advertised.iter().any(|advertised| advertised.ip.is_ipv6());
    let routable = |ip: &&IpAddr| ip.is_ipv6() && !ip.is_loopback() && !is_link_local(**ip);
    let has = own.iter().find(routable);
    match (is_bound, is_told, has) {
        (true, false, Some(ip)) => Some(
            Finding::warn(
                CHECK,
                "IPv6 is bound and none of its addresses advertised".to_owned(),
                "clients with IPv6 alone do not get in",
            )
            .mend(format!("media.advertise: add '{ip}'")),
        ),
        (false, _, Some(ip)) => Some(
            Finding::warn(
                CHECK,
                "this machine has IPv6, and media is bound to IPv4 alone".to_owned(),
                "clients with IPv6 alone do not get in",
            )
            .mend(format!("media.bind: add '::'; media.advertise: add '{ip}'")),
        ),
        (true, true, None)
            if media
                .bind
                .iter()
                .any(|bound| bound.is_ipv6() && !bound.is_loopback()) =>
        {
            Some(
                Finding::fail(
                    CHECK,
                    "an IPv6 address is advertised, and this machine has none".to_owned(),
                    "clients with IPv6 try it first, and connect later or never",
                )
                .mend("ip -6 address    (take it out of media.advertise, or give the machine one)"),
            )
        }
        _ => None,
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn is_example(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_documentation(),
        // RFC 3849.
        IpAddr::V6(ip) => Ipv6Addr::segments(&ip)[..2] == [0x2001, 0xdb8],
    }
}
