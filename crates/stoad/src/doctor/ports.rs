//! Whether each port can be bound, or is a running node's.

use std::io;

use socket2::{Domain, Protocol, Socket, Type};

use super::{
    finding::Finding,
    holder::{self, Holder},
};
use crate::config::{Port, Transport};

const CHECK: &str = "ports";

/// What there is to say of the ports, and the process of a node that has one of them.
pub(super) fn check(ports: &[Port]) -> (Vec<Finding>, Option<u32>) {
    let (mut free, mut own) = (0, 0);
    let mut node = None;
    let mut findings = Vec::new();
    for port in ports {
        match bind(port) {
            Ok(()) => free += 1,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => match holder::of(port) {
                Some(holder) if holder.is_stoad() => {
                    own += 1;
                    node = Some(holder.id);
                }
                holder => findings.push(taken(port, holder)),
            },
            Err(error) => findings.push(refused(port, &error)),
        }
    }
    if let Some(id) = node {
        let measured = format!("{own} are held by a node that runs, stoad (process {id})");
        findings.push(Finding::ok(CHECK, measured));
    }
    if free > 0 || findings.is_empty() {
        findings.push(Finding::ok(
            CHECK,
            format!("{free} of {} can be bound", ports.len()),
        ));
    }
    (findings, node)
}

/// Binds as the daemon does, and lets go at once.
fn bind(port: &Port) -> io::Result<()> {
    let (kind, protocol) = match port.transport {
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
    };
    let socket = Socket::new(Domain::for_address(port.address), kind, Some(protocol))?;
    if port.is_v6_only && port.address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if port.transport == Transport::Tcp {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&port.address.into())?;
    match port.transport {
        Transport::Udp => Ok(()),
        // Only then does the kernel look whether another one listens.
        Transport::Tcp => socket.listen(1),
    }
}

fn named(port: &Port) -> String {
    let transport = match port.transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
    };
    format!("{}: {transport} {}", port.key, port.address)
}

const MEANING: &str = "the node does not start";

fn taken(port: &Port, holder: Option<Holder>) -> Finding {
    let number = port.address.port();
    let by = holder.map_or_else(
        || "a process that this user cannot see".to_owned(),
        |Holder { id, program }| format!("{program} (process {id})"),
    );
    Finding::fail(CHECK, format!("{} is held by {by}", named(port)), MEANING).mend(format!(
        "ss -lntup 'sport = {number}'    (end it, or set {} to another)",
        port.key
    ))
}

fn refused(port: &Port, error: &io::Error) -> Finding {
    let finding = Finding::fail(
        CHECK,
        format!("{} cannot be bound: {error}", named(port)),
        MEANING,
    );
    let key = port.key;
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => finding.mend(format!(
            "ip address    (set {} to an address of this machine)",
            if key == "media.port" {
                "media.bind"
            } else {
                key
            }
        )),
        io::ErrorKind::PermissionDenied => finding.mend(format!(
            "set {key} to 1024 or more, or AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit"
        )),
        _ if port.address.is_ipv6() => finding
            .mend("sysctl -w net.ipv6.conf.all.disable_ipv6=0    (or take '::' out of media.bind)"),
        _ => finding.mend(format!("set {key} to another address")),
    }
}
