//! Holds docs/audits.md and Cargo.lock together: what was read is the version that is built.

use super::Finding;

/// The page that says what was read of the crates on the packet path.
pub(super) const PAGE: &str = "docs/audits.md";

/// Crates that handle bytes of the network by themselves, in `stoa-core` and `stoa-net` or for the control port. Each has
/// to be on the page, so that nobody forgets one by taking its row out.
const ON_THE_PATH: [&str; 42] = [
    "ahash",
    "arrayvec",
    "aws-lc-rs",
    "aws-lc-sys",
    "block-buffer",
    "bytes",
    "combine",
    "crc",
    "der",
    "digest",
    "dimpl",
    "generic-array",
    "h2",
    "h3",
    "hmac",
    "http",
    "httparse",
    "hyper",
    "is",
    "libc",
    "mio",
    "nix",
    "nom",
    "prost",
    "quinn",
    "quinn-proto",
    "quinn-udp",
    "ring",
    "rtrb",
    "rustls",
    "rustls-webpki",
    "sctp-proto",
    "sha1",
    "slotmap",
    "socket2",
    "str0m",
    "str0m-aws-lc-rs",
    "str0m-proto",
    "subtle",
    "tonic",
    "x509-cert",
    "zeroize",
];

/// Names and versions of all packages that come from a registry.
pub(super) fn locked(lock: &str) -> Vec<(&str, &str)> {
    let packages = lock.split("[[package]]").skip(1);
    let value = |package: &'_ str, key: &str| -> Option<(usize, usize)> {
        let begin = package.find(&format!("\n{key} = \""))? + key.len() + 5;
        Some((begin, begin + package[begin..].find('"')?))
    };
    let foreign = packages.filter(|package| package.contains("\nsource = "));
    foreign
        .filter_map(|package| {
            let (name, version) = (value(package, "name")?, value(package, "version")?);
            Some((&package[name.0..name.1], &package[version.0..version.1]))
        })
        .collect()
}

/// The rows of the page's tables whose first cell is `` `name` `` and whose second is a version.
fn rows(page: &str) -> Vec<(&str, &str)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (name, rest) = row.split_once("` | ")?;
        Some((name, rest.split_once(" |")?.0.trim()))
    })
    .collect()
}

pub(super) fn page(locked: &[(&str, &str)], page: &str) -> Vec<Finding> {
    let rows = rows(page);
    let mut findings = Vec::new();
    let mut find = |message: String| findings.push(Finding::new(PAGE.to_owned(), message));
    for &(name, version) in &rows {
        if locked.contains(&(name, version)) {
            continue;
        }
        let mut now = locked.iter().filter(|(other, _)| *other == name);
        match now.next() {
            Some((_, now)) => find(format!(
                "{name} was audited as {version} and is built as {now}: read what has changed, count its unsafe \
                 anew, and say so in its row"
            )),
            None => find(format!("{name} is not in Cargo.lock: take its row out")),
        }
    }
    for name in ON_THE_PATH {
        if !rows.iter().any(|(row, _)| *row == name) {
            find(format!(
                "no row for {name}, which is on the packet path: say what of it was read, or that nothing was"
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"rtrb\"\nversion = \"0.4.1\"\nsource = \"registry\"\n\n\
                        [[package]]\nname = \"stoa-core\"\nversion = \"0.1.0\"\n";

    fn all_rows() -> String {
        let row = |name| format!("| `{name}` | 0.4.1 | somebody | 0 |\n");
        ON_THE_PATH.map(row).concat()
    }

    fn all_locked() -> Vec<(&'static str, &'static str)> {
        ON_THE_PATH.map(|name| (name, "0.4.1")).to_vec()
    }

    #[test]
    fn foreign_packages_are_read() {
        assert_eq!(locked(LOCK), [("rtrb", "0.4.1")]);
    }

    #[test]
    fn an_upgrade_asks_for_a_new_audit() {
        assert!(page(&all_locked(), &all_rows()).is_empty());
        let upgraded = all_rows().replace("| `rtrb` | 0.4.1 |", "| `rtrb` | 0.4.0 |");
        let findings = page(&all_locked(), &upgraded);
        assert_eq!(findings.len(), 1);
        let message = &findings[0].message;
        assert!(message.starts_with("rtrb was audited as 0.4.0 and is built as 0.4.1"));
    }

    #[test]
    fn what_is_gone_or_missing_is_found() {
        let more = all_rows() + "| `mayfly` | 1.0.0 | nobody | 0 |\n";
        let findings = page(&all_locked(), &more);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.starts_with("mayfly is not in"));
        let fewer = all_rows().replace("| `ring` |", "| ring |");
        let findings = page(&all_locked(), &fewer);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.starts_with("no row for ring"));
    }
}
