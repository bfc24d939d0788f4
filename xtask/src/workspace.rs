//! Where the workspace is and what cargo knows about it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process;
use crate::report::Failure;

/// The root folder, the target folder and the packages that `Cargo.lock` resolves to.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package, of this workspace or from a registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Whether it is one of ours.
    pub(crate) member: bool,
    pub(crate) description: Option<String>,
    pub(crate) rust_version: Option<String>,
    pub(crate) manifest: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    /// The root files of its library and programs (not of tests, examples and build scripts).
    pub(crate) roots: Vec<PathBuf>,
}

/// One line of a package's `[dependencies]`, `[dev-dependencies]` or `[build-dependencies]`.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// The key in the manifest: the name in use here, also where the package is renamed.
    pub(crate) key: String,
    pub(crate) development_only: bool,
    /// Whether it is a folder of this workspace.
    pub(crate) internal: bool,
}

/// The root folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or(own.clone(), Path::to_path_buf)
}

/// What `cargo metadata` says, asked with these arguments more. `--locked`: the answer is about the versions that are
/// built, or there is none.
pub(crate) fn metadata(arguments: &[&str]) -> Result<Value, Failure> {
    let mut cargo = process::cargo();
    let always = ["metadata", "--quiet", "--locked", "--format-version", "1"];
    cargo.current_dir(root()).args(always).args(arguments);
    serde_json::from_str(&process::capture(&mut cargo)?)
        .map_err(|error| Failure::new(format!("cargo metadata wrote no JSON: {error}")))
}

/// Asks cargo.
pub(crate) fn read() -> Result<Workspace, Failure> {
    let root = root();
    // With what is off by default.
    let json = metadata(&["--all-features"])?;
    let members: Vec<&str> = strings(&json["workspace_members"]);
    let packages = json["packages"].as_array().into_iter().flatten();
    Ok(Workspace {
        target: PathBuf::from(json["target_directory"].as_str().unwrap_or("target")),
        packages: packages.map(|value| package(value, &members)).collect(),
        root,
    })
}

impl Workspace {
    /// The packages of this workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.member)
    }
}

fn package(value: &Value, members: &[&str]) -> Package {
    let owned = |key: &str| value[key].as_str().map(str::to_owned);
    let roots = value["targets"].as_array().into_iter().flatten();
    let roots = roots.filter(|target| {
        let kinds = strings(&target["kind"]);
        ["lib", "bin", "proc-macro"]
            .iter()
            .any(|kind| kinds.contains(kind))
    });
    let dependencies = value["dependencies"].as_array().into_iter().flatten();
    Package {
        name: owned("name").unwrap_or_default(),
        version: owned("version").unwrap_or_default(),
        member: value["id"].as_str().is_some_and(|id| members.contains(&id)),
        description: owned("description"),
        rust_version: owned("rust_version"),
        manifest: PathBuf::from(owned("manifest_path").unwrap_or_default()),
        dependencies: dependencies.map(dependency).collect(),
        roots: roots
            .filter_map(|target| target["src_path"].as_str())
            .map(PathBuf::from)
            .collect(),
    }
}

fn dependency(value: &Value) -> Dependency {
    let key = value["rename"].as_str().or(value["name"].as_str());
    Dependency {
        key: key.unwrap_or_default().to_owned(),
        development_only: value["kind"] == "dev",
        internal: value["path"].is_string(),
    }
}

fn strings(value: &Value) -> Vec<&str> {
    let values = value.as_array().into_iter().flatten();
    values.filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_of_a_member_is_read() {
        let value = serde_json::json!({
            "id": "a", "name": "stoa-x", "version": "0.1.0", "rust_version": "1.89",
            "targets": [
                {"kind": ["lib"], "src_path": "/x/src/lib.rs"},
                {"kind": ["test"], "src_path": "/x/tests/y.rs"},
            ],
            "dependencies": [
                {"name": "serde_yaml_ng", "rename": "serde_yaml", "kind": null},
                {"name": "stoa-y", "rename": null, "kind": "dev", "path": "/y"},
            ],
        });
        let package = package(&value, &["a"]);
        assert!(package.member);
        assert_eq!(package.roots, [PathBuf::from("/x/src/lib.rs")]);
        assert_eq!(package.dependencies[0].key, "serde_yaml");
        assert!(package.dependencies[1].development_only && package.dependencies[1].internal);
    }
}
