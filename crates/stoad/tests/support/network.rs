//! A network namespace with nothing in it but loopback and one address, for the daemon and browsers.
//!
//! Firefox gathers its ICE candidate on the interface of the default route, never on loopback. So
//! browsers get an interface with such a route, in a namespace from which nothing leads elsewhere.

use std::process::Command;

/// The address of the interface (RFC 1918), unknown outside the namespace.
pub(super) const ADDRESS: &str = "10.90.0.1";

/// Makes the interface, then becomes the program that the arguments name.
///
/// A browser drops what it is loading when the network changes under it. So the link is up before
/// anything starts, and has no link-local IPv6 address, which would come seconds later (RFC 4862,
/// section 5.4).
const SET_UP: &str = "ip link set lo up \
    && ip link add stoa0 type veth peer name stoa1 \
    && ip link set stoa0 addrgenmode none \
    && ip link set stoa1 addrgenmode none \
    && ip address add 10.90.0.1/24 dev stoa0 \
    && ip link set stoa1 up \
    && ip link set stoa0 up \
    && ip route add default dev stoa0 \
    && until ip link show stoa0 | grep --quiet 'state UP'; do sleep 0.05; done \
    && exec \"$0\" \"$@\"";

/// The start of a command line that runs a program in a new namespace; the namespace ends with it.
/// Without the right to make one, a user namespace gives it.
pub(super) fn in_a_new_one() -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "sh", "-c", SET_UP]);
    command
}

/// The start of a command line that runs a program in the namespace of a process.
pub(super) fn in_that_of(process: u32) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/proc/{process}/ns/net"));
    if !rustix::process::geteuid().is_root() {
        command.arg(format!("--user=/proc/{process}/ns/user"));
    }
    command
}
