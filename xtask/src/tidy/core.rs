//! What keeps `stoa-core` free of input, output and clocks: one seed, one run.

use super::Finding;
use super::source::Source;
use crate::workspace::Package;

const CORE: &str = "stoa-core";
const CORE_SOURCES: &str = "crates/stoa-core/src/";

/// Crates that bring sockets, threads, wire formats of the control side or metrics. A name ending
/// in `-` stands for all that begin with it.
const FORBIDDEN_CRATES: [&str; 14] = [
    "tokio",
    "tokio-",
    "quinn",
    "quinn-",
    "prometheus",
    "prometheus-",
    "prost",
    "prost-",
    "tonic",
    "tonic-",
    "socket2",
    "mio",
    "hyper",
    "h3",
];

/// Words in the code, and what to do instead.
const FORBIDDEN_CODE: [(&str, &str); 15] = [
    ("Instant::now", CLOCK),
    ("SystemTime::now", CLOCK),
    ("UdpSocket", SOCKET),
    ("TcpStream", SOCKET),
    ("TcpListener", SOCKET),
    ("std::thread", THREAD),
    ("thread::", THREAD),
    ("Mutex", LOCK),
    ("RwLock", LOCK),
    ("rand::rng(", RANDOM),
    ("rand::random", RANDOM),
    ("thread_rng", RANDOM),
    ("OsRng", RANDOM),
    ("RandomState::new", RANDOM),
    ("RandomState::default", RANDOM),
];

const CLOCK: &str = "time is an argument of the core, or no run can be repeated";
const SOCKET: &str = "the core reads and writes no socket: packets come in by `handle_*` and go \
                      out by `poll_output`";
const THREAD: &str = "the core is single-threaded and starts nothing: threads are stoa-net's";
const LOCK: &str = "a worker owns its rooms outright; a lock in the packet path lets one peer \
                    delay another's packet";
const RANDOM: &str = "randomness is an argument of the core (a seed), or no run can be repeated";

pub(super) fn manifest(package: &Package, path: &str) -> Vec<Finding> {
    if package.name != CORE {
        return Vec::new();
    }
    let forbidden = |key: &str| {
        FORBIDDEN_CRATES
            .iter()
            .any(|name| key == *name || (name.ends_with('-') && key.starts_with(name)))
    };
    let keys = package
        .dependencies
        .iter()
        .map(|dependency| dependency.key.as_str());
    keys.filter(|key| forbidden(key))
        .map(|key| {
            Finding::new(
                path.to_owned(),
                format!(
                    "{CORE} depends on {key}: the core does no input or output, and its manifest \
                     is the proof"
                ),
            )
        })
        .collect()
}

pub(super) fn source(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with(CORE_SOURCES) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (line, code, _) in source.lines().filter(|(_, _, test)| !test) {
        // The first word is enough: `std::thread` is also `thread::`.
        let hit = FORBIDDEN_CODE.iter().find(|(word, _)| code.contains(word));
        findings.extend(hit.map(|(word, why)| {
            Finding::new(source.place(line), format!("`{word}` in the core: {why}"))
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    #[test]
    fn the_manifest_of_the_core_has_no_runtime() {
        let package = |name: &str, key: &str| Package {
            name: name.to_owned(),
            dependencies: vec![Dependency {
                key: key.to_owned(),
                development_only: false,
                internal: false,
            }],
            ..Package::default()
        };
        for key in ["tokio", "tokio-stream", "quinn", "prost-types", "mio"] {
            assert_eq!(
                manifest(&package(CORE, key), "Cargo.toml").len(),
                1,
                "{key}"
            );
        }
        assert!(manifest(&package(CORE, "str0m"), "Cargo.toml").is_empty());
        assert!(manifest(&package("stoa-net", "mio"), "Cargo.toml").is_empty());
    }

    #[test]
    fn the_code_of_the_core_reads_no_clock() {
        for (word, _) in FORBIDDEN_CODE {
            let bad = Source::parse("crates/stoa-core/src/a.rs", &format!("{word}();\n"));
            assert_eq!(source(&bad).len(), 1, "{word}");
        }
        let text = "// Instant::now\nuse std::time::Instant;\n#[cfg(test)]\nmod tests {\n    \
                    fn a() { Instant::now() }\n}\n";
        assert!(source(&Source::parse("crates/stoa-core/src/a.rs", text)).is_empty());
        let elsewhere = Source::parse("crates/stoa-net/src/a.rs", "Instant::now();\n");
        assert!(source(&elsewhere).is_empty());
    }
}
