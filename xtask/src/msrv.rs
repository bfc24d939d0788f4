//! No dependency may ask for a newer Rust than the workspace promises to build with.

use crate::report::{Failure, Outcome, Verdict};
use crate::workspace::{self, Package};

/// Major, minor, patch; a missing part is 0.
type Version = [u32; 3];

/// Compares every package of `Cargo.lock`, of all platforms, with our own `rust-version`. (That
/// our own code uses nothing newer is clippy's `incompatible_msrv`.)
pub(crate) fn step() -> Outcome {
    let workspace = workspace::read()?;
    let ours = workspace
        .members()
        .filter_map(|package| package.rust_version.as_deref())
        .filter_map(version)
        .min()
        .ok_or_else(|| Failure::new("no crate of the workspace states a rust-version"))?;
    let newer = newer(&workspace.packages, ours);
    let [major, minor, _] = ours;
    println!(
        "{} packages, none may need more than Rust {major}.{minor}",
        workspace.packages.len()
    );
    if newer.is_empty() {
        return Ok(Verdict::Passed);
    }
    for package in &newer {
        println!("{package}");
    }
    Err(Failure::new(format!(
        "{} packages need a newer Rust than our rust-version: take older releases of them, or \
         raise rust-version (an announcement in CHANGELOG.md)",
        newer.len()
    )))
}

fn newer(packages: &[Package], ours: Version) -> Vec<String> {
    let mut newer = Vec::new();
    for package in packages {
        let Some(needs) = &package.rust_version else {
            continue;
        };
        if version(needs).is_none_or(|needs| needs > ours) {
            let Package { name, version, .. } = package;
            newer.push(format!("{name} {version} needs Rust {needs}"));
        }
    }
    newer
}

fn version(text: &str) -> Option<Version> {
    let mut parts = [0; 3];
    for (index, part) in text.split('.').enumerate() {
        *parts.get_mut(index)? = part.parse().ok()?;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, rust_version: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.2.3".to_owned(),
            rust_version: rust_version.map(str::to_owned),
            ..Package::default()
        }
    }

    #[test]
    fn only_packages_that_need_a_newer_rust_are_named() {
        let packages = [
            package("old", Some("1.9")),
            package("same", Some("1.89.0")),
            package("silent", None),
            package("patch", Some("1.89.1")),
            package("new", Some("1.100")),
            package("odd", Some("soon")),
        ];
        assert_eq!(
            newer(&packages, [1, 89, 0]),
            [
                "patch 1.2.3 needs Rust 1.89.1",
                "new 1.2.3 needs Rust 1.100",
                "odd 1.2.3 needs Rust soon",
            ]
        );
    }
}
