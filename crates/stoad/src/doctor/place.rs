//! Where this runs: on a machine, under systemd, in a container, and with whose network.

use std::{env, fs, path::Path};

use super::finding::Finding;

const CHECK: &str = "place";

pub(super) fn check() -> Vec<Finding> {
    let container = container();
    let bridged = interfaces().into_iter().find(|name| is_end_of_a_pair(name));
    vec![judge(
        container,
        bridged.as_deref(),
        env::var_os("INVOCATION_ID").is_some(),
    )]
}

/// What kind of container this is in.
fn container() -> Option<&'static str> {
    if env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Some("a pod of Kubernetes");
    }
    let marks = [
        ("/.dockerenv", "a container of Docker"),
        ("/run/.containerenv", "a container of Podman"),
    ];
    marks
        .into_iter()
        .find_map(|(mark, name)| Path::new(mark).exists().then_some(name))
}

fn interfaces() -> Vec<String> {
    let entries = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// Whether its other end is an interface elsewhere, which is how a container is tied to a bridge.
fn is_end_of_a_pair(interface: &str) -> bool {
    let number = |file: &str| {
        fs::read_to_string(format!("/sys/class/net/{interface}/{file}"))
            .ok()?
            .trim()
            .parse::<u32>()
            .ok()
    };
    number("iflink") != number("ifindex")
}

fn judge(container: Option<&str>, bridged: Option<&str>, is_unit: bool) -> Finding {
    match (container, bridged) {
        (Some(container), Some(interface)) => {
            let measured = format!("{container}, with a network of its own behind {interface}");
            let meaning = "each packet is rewritten on its way, and clients have one address: limits for each source are for all of them together";
            Finding::warn(CHECK, measured, meaning).mend("docker run --network host; Kubernetes: hostNetwork: true (deploy/helm/stoa has it)")
        }
        (Some(container), None) => {
            Finding::ok(CHECK, format!("{container}, with the host's network"))
        }
        (None, _) if is_unit => Finding::ok(CHECK, "a unit of systemd".to_owned()),
        (None, _) => Finding::ok(CHECK, "no container that could be recognised".to_owned()),
    }
}
