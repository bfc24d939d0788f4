//! Holds docs/dependencies.md and the manifests together.

use super::Finding;
use crate::workspace::Package;

/// The page that says why each direct dependency is there.
pub(super) const PAGE: &str = "docs/dependencies.md";

/// The keys of `[workspace.dependencies]`, without the folders of this workspace.
pub(super) fn declared(manifest: &str) -> Vec<String> {
    const TABLE: &str = "[workspace.dependencies";
    let mut keys = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.starts_with("[workspace.dependencies]");
            let sub_table = line
                .strip_prefix(TABLE)
                .and_then(|rest| rest.strip_prefix('.'));
            keys.extend(
                sub_table
                    .and_then(|rest| rest.split(']').next())
                    .map(str::to_owned),
            );
        } else if inside && !line.contains("path = ") {
            // Lines of a list that spans lines hold no `=`; comments hold no key before it.
            let key = line.split_once('=').map(|(key, _)| key.trim());
            let is_key = |key: &&str| {
                let part_of_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                !key.is_empty() && key.chars().all(part_of_key)
            };
            keys.extend(key.filter(is_key).map(str::to_owned));
        }
    }
    keys
}

/// The rows of the page's tables: what stands in backticks in the first column, and the rest.
fn rows(page: &str) -> Vec<(&str, &str)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once("` |")).collect()
}

pub(super) fn page(declared: &[String], page: &str) -> Vec<Finding> {
    let rows = rows(page);
    let mut findings = Vec::new();
    let mut find = |message: String| findings.push(Finding::new(PAGE.to_owned(), message));
    for key in declared {
        match rows.iter().filter(|(name, _)| name == key).count() {
            1 => {}
            0 => find(format!(
                "no row for `{key}` of [workspace.dependencies]: a dependency is a decision, and \
                 its reason is written down"
            )),
            _ => find(format!("more than one row for `{key}`")),
        }
    }
    for (name, why) in rows {
        if !declared.iter().any(|key| key == name) {
            find(format!(
                "`{name}` is not in [workspace.dependencies]: remove its row"
            ));
        }
        if why.trim_matches([' ', '|']).len() < 10 {
            find(format!("the row of `{name}` does not say why it is there"));
        }
    }
    findings
}

pub(super) fn unused(declared: &[String], members: &[&Package]) -> Vec<Finding> {
    let used = |key: &&String| {
        let mut all = members.iter().flat_map(|package| &package.dependencies);
        all.any(|dependency| dependency.key == **key)
    };
    let unused = declared.iter().filter(|key| !used(key));
    unused
        .map(|key| {
            Finding::new(
                "Cargo.toml".to_owned(),
                format!("`{key}` of [workspace.dependencies] is used by no crate: remove it"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    const MANIFEST: &str = "[workspace.dependencies]\nstoa-core = { path = \"x\" }\n\n# why = this\n\
                            bytes = \"1\"\ntokio = { version = \"1\", features = [\n    \"net\",\n] }\n\
                            [workspace.dependencies.slab]\nversion = \"1\"\n\
                            [workspace.lints]\na = \"warn\"\n";

    fn keys() -> Vec<String> {
        declared(MANIFEST)
    }

    #[test]
    fn the_declared_dependencies_are_read() {
        assert_eq!(keys(), ["bytes", "tokio", "slab"]);
    }

    #[test]
    fn the_page_has_one_row_with_a_reason_for_each() {
        let row = |name| format!("| `{name}` | the reason for it, in a sentence |\n");
        let good = ["bytes", "tokio", "slab"].map(row).concat();
        assert!(page(&keys(), &good).is_empty());
        assert_eq!(page(&keys(), &good.replace("| `slab`", "| slab")).len(), 1);
        assert_eq!(page(&keys(), &(row("mio") + &good)).len(), 1);
        assert_eq!(page(&keys(), &(row("slab") + &good)).len(), 1);
        let silent = good.replace("the reason for it, in a sentence", "");
        assert_eq!(page(&keys(), &silent).len(), 3);
    }

    #[test]
    fn a_dependency_that_no_crate_uses_is_found() {
        let dependency = |key: &str| Dependency {
            key: key.to_owned(),
            development_only: true,
            internal: false,
        };
        let member = Package {
            dependencies: vec![dependency("bytes"), dependency("slab")],
            ..Package::default()
        };
        let findings = unused(&keys(), &[&member]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.contains("`tokio`"));
    }
}
