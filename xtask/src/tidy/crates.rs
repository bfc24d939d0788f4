//! Checks on the crates as a whole: their manifests, who depends on whom, where unsafe code is.

use std::path::Path;

use super::Finding;
use super::source::Source;
use crate::workspace::Package;

/// Which crate of the workspace uses which. ARCHITECTURE.md explains the picture; this table holds
/// it in place, in both directions: a row that is no longer true is a finding too. What only tests
/// use is not listed.
pub(super) const DIRECTIONS: &[(&str, &[&str])] = &[
    ("stoa-redact", &[]),
    ("stoa-secret", &[]),
    ("stoa-core", &["stoa-redact"]),
    ("stoa-api", &["stoa-redact"]),
    ("stoa-h3", &["stoa-redact"]),
    ("stoa-net", &["stoa-core"]),
    ("stoa-token", &["stoa-core"]),
    (
        "stoa-control",
        &[
            "stoa-api",
            "stoa-core",
            "stoa-h3",
            "stoa-redact",
            "stoa-secret",
            "stoa-token",
        ],
    ),
    ("stoa-client", &["stoa-api", "stoa-h3"]),
    (
        "stoa-ops",
        &["stoa-control", "stoa-core", "stoa-net", "stoa-secret"],
    ),
    ("stoa-talk", &["stoa-client", "stoa-secret"]),
    ("stoa-load", &["stoa-client", "stoa-secret", "stoa-token"]),
    (
        "stoa-whip",
        &[
            "stoa-api",
            "stoa-control",
            "stoa-core",
            "stoa-redact",
            "stoa-secret",
            "stoa-token",
        ],
    ),
    (
        "stoad",
        &[
            "stoa-client",
            "stoa-control",
            "stoa-core",
            "stoa-net",
            "stoa-ops",
            "stoa-redact",
            "stoa-secret",
            "stoa-talk",
            "stoa-token",
            "stoa-whip",
        ],
    ),
    // The core's own tests use it, in turn: a room is shown to work by clients in it.
    ("stoa-sim", &["stoa-core"]),
    ("stoa-bench", &["stoa-client", "stoa-core", "stoa-token"]),
    (
        "stoa-fuzz",
        &[
            "stoa-api",
            "stoa-control",
            "stoa-core",
            "stoa-h3",
            "stoa-load",
            "stoa-net",
            "stoa-sim",
            "stoa-talk",
            "stoa-token",
            "stoa-whip",
            "stoad",
        ],
    ),
    ("stoa-docs", &[]),
    ("xtask", &[]),
];

/// The only crate with system calls that Rust has no safe form for (batched receive and send).
const MAY_BE_UNSAFE: &str = "stoa-net";

/// Files that make rustup fetch another toolchain than the one that is there.
const TOOLCHAIN_FILES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

pub(super) fn manifest(package: &Package, path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |message: &str| {
        findings.push(Finding::new(path.to_owned(), message.to_owned()));
    };
    let description = package.description.as_deref().unwrap_or_default();
    if description.len() < 10 {
        find("`description` has to say in a line what the crate is for");
    }
    if package.rust_version.is_none() {
        find("`rust-version.workspace = true` is missing: a user with an older Rust gets a riddle");
    }
    let mut lines = text.lines().map(str::trim);
    let lints = lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true");
    if !lints {
        find("`[lints]` with `workspace = true` is missing: the crate escapes the common lints");
    }
    findings
}

/// `source` is the crate's root file, if it is among the files looked at.
pub(super) fn unsafe_code(package: &Package, path: &str, source: Option<&Source>) -> Vec<Finding> {
    if package.name == MAY_BE_UNSAFE {
        return Vec::new();
    }
    let forbids = |source: &Source| {
        let mut lines = source.lines();
        lines.any(|(_, code, _)| code.trim() == "#![forbid(unsafe_code)]")
    };
    if source.is_some_and(forbids) {
        return Vec::new();
    }
    let message = format!(
        "`#![forbid(unsafe_code)]` is missing: only {MAY_BE_UNSAFE} may have unsafe code, and \
         only there does a reviewer have to look for it"
    );
    vec![Finding::new(path.to_owned(), message)]
}

pub(super) fn directions(members: &[&Package], allowed: &[(&str, &[&str])]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |package: &str, message: String| {
        findings.push(Finding::new(package.to_owned(), message));
    };
    for package in members {
        let name = package.name.as_str();
        let Some((_, may)) = allowed.iter().find(|(row, _)| *row == name) else {
            let message = "is not in the table DIRECTIONS of xtask: say there what it may use";
            find(name, message.to_owned());
            continue;
        };
        let uses: Vec<&str> = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.internal && !dependency.development_only)
            .map(|dependency| dependency.key.as_str())
            .collect();
        for used in uses.iter().filter(|used| !may.contains(used)) {
            find(
                name,
                format!(
                    "uses {used}, which is not one of its directions ({}): dependencies go one \
                     way, so that each part can be understood and tested without the parts above \
                     it",
                    may.join(", ")
                ),
            );
        }
        for unused in may.iter().filter(|listed| !uses.contains(listed)) {
            let message = format!("does not use {unused}: take it out of DIRECTIONS in xtask");
            find(name, message);
        }
    }
    for (row, _) in allowed {
        if members.iter().all(|package| package.name != *row) {
            find(
                row,
                "is no crate: take its row out of DIRECTIONS in xtask".to_owned(),
            );
        }
    }
    findings
}

pub(super) fn toolchain_files(root: &Path) -> Vec<Finding> {
    let files = TOOLCHAIN_FILES
        .iter()
        .filter(|name| root.join(name).exists());
    files
        .map(|name| {
            Finding::new(
                (*name).to_owned(),
                "makes rustup fetch another toolchain; the oldest Rust that works is stated as \
                 rust-version, and any newer one will do"
                    .to_owned(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, uses: &[&str]) -> Package {
        let dependency = |key: &&str| Dependency {
            key: (*key).to_owned(),
            development_only: false,
            internal: true,
        };
        Package {
            name: name.to_owned(),
            description: Some("a crate for tests".to_owned()),
            rust_version: Some("1.89".to_owned()),
            dependencies: uses.iter().map(dependency).collect(),
            ..Package::default()
        }
    }

    #[test]
    fn a_manifest_says_what_the_crate_is_and_takes_the_common_lints() {
        let good = "[package]\n[lints]\nworkspace = true\n";
        assert!(manifest(&package("a", &[]), "a", good).is_empty());
        let mut bad = package("a", &[]);
        bad.description = Some("TODO".to_owned());
        bad.rust_version = None;
        assert_eq!(manifest(&bad, "a", "[package]\n[lints]\n").len(), 3);
    }

    #[test]
    fn unsafe_code_is_forbidden_outside_one_crate() {
        let root = |text| Source::parse("crates/a/src/lib.rs", text);
        let good = root("#![forbid(unsafe_code)]\n");
        let bad = root("// #![forbid(unsafe_code)]\n");
        assert!(unsafe_code(&package("a", &[]), "a", Some(&good)).is_empty());
        assert_eq!(unsafe_code(&package("a", &[]), "a", Some(&bad)).len(), 1);
        assert_eq!(unsafe_code(&package("a", &[]), "a", None).len(), 1);
        assert!(unsafe_code(&package(MAY_BE_UNSAFE, &[]), "a", Some(&bad)).is_empty());
    }

    #[test]
    fn dependencies_go_one_way() {
        let allowed: &[(&str, &[&str])] = &[("core", &[]), ("net", &["core"])];
        let check = |members: &[Package]| directions(&members.iter().collect::<Vec<_>>(), allowed);
        assert!(check(&[package("core", &[]), package("net", &["core"])]).is_empty());
        let wrong_way = check(&[package("core", &["net"]), package("net", &["core"])]);
        assert_eq!(wrong_way.len(), 1);
        assert!(wrong_way[0].message.starts_with("uses net"));
        let unused = check(&[package("core", &[]), package("net", &[])]);
        assert!(unused[0].message.starts_with("does not use core"));
        let gone = check(&[package("core", &[])]);
        assert!(gone[0].message.starts_with("is no crate"));
        let new = check(&[
            package("core", &[]),
            package("net", &["core"]),
            package("x", &[]),
        ]);
        assert!(new[0].message.starts_with("is not in the table"));
    }

    #[test]
    fn what_only_tests_use_has_no_direction() {
        let mut core = package("core", &["net"]);
        core.dependencies[0].development_only = true;
        assert!(directions(&[&core], &[("core", &[])]).is_empty());
    }

    #[test]
    fn a_toolchain_file_is_found() {
        // Any folder with such a file will do, and this test may make one in the target folder.
        let folder = std::env::temp_dir().join(format!("stoa-tidy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        assert!(toolchain_files(&folder).is_empty());
        std::fs::write(folder.join("rust-toolchain.toml"), "").expect("a file for the test");
        let findings = toolchain_files(&folder);
        std::fs::remove_dir_all(&folder).expect("the folder can go again");
        assert_eq!(findings.len(), 1);
    }
}
