//! `cargo xtask sbom`: what a program of ours is made of, as a CycloneDX document (version 1.6, JSON).
//!
//! It is made of what cargo has resolved and of the checksums in Cargo.lock, and says nothing else: the same sources
//! give the same document. So it has no time stamp and no serial number, which CycloneDX leaves open.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::{Value, json};

use crate::{report::Failure, workspace};

/// The platforms for which programs are built, as in deny.toml.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Of what.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The package whose program it is
    #[arg(long, default_value = "stoad")]
    package: String,
    /// Where to write it; otherwise below the target folder
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the document and says where.
pub(crate) fn write(options: &Options) -> Result<(), Failure> {
    let workspace = workspace::read()?;
    let document = document_of(&options.package)?;
    let default = || {
        let name = format!("{}.cdx.json", options.package);
        workspace.target.join("sbom").join(name)
    };
    let path = options.output.clone().unwrap_or_else(default);
    let failed = |error| Failure::new(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(&path, format!("{document:#}\n")).map_err(failed)?;
    let components = document["components"].as_array().map_or(0, Vec::len);
    println!("{}: {components} components", path.display());
    Ok(())
}

fn document_of(package: &str) -> Result<Value, Failure> {
    let metadata = workspace::metadata(&["--filter-platform", PLATFORM])?;
    let lock = workspace::root().join("Cargo.lock");
    let lock = fs::read_to_string(&lock)
        .map_err(|error| Failure::new(format!("{}: {error}", lock.display())))?;
    document(package, &metadata, &checksums(&lock))
}

/// The SHA-256 of each package that comes from a registry, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let mut lines = package.lines();
            let line = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.map(|line| line.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version), Some(checksum)) =
            (value("name"), value("version"), value("checksum"))
        {
            found.insert((name, version), checksum);
        }
    }
    found
}

/// What a package needs of another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// It is in the program.
    Runs,
    /// It is there while the program is built.
    Builds,
}

fn document(
    package: &str,
    metadata: &Value,
    checksums: &BTreeMap<(String, String), String>,
) -> Result<Value, Failure> {
    let packages: BTreeMap<&str, &Value> = array(&metadata["packages"])
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let nodes: BTreeMap<&str, &Value> = array(&metadata["resolve"]["nodes"])
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let root = packages
        .iter()
        .find(|(_, found)| found["name"] == package && found["source"].is_null());
    let (&root, _) = root.ok_or_else(|| Failure::new(format!("there is no package {package}")))?;
    let needed = needed(root, &nodes);
    let reference = |id: &str| packages.get(id).map(|package| purl(package));
    let components: Vec<Value> = needed
        .iter()
        .filter(|(id, _)| **id != root)
        .filter_map(|(id, need)| Some(component(packages.get(id)?, *need, checksums)))
        .collect();
    let dependencies: Vec<Value> = needed
        .keys()
        .filter_map(|id| {
            let direct = direct(id, &nodes).filter(|(id, _)| needed.contains_key(id));
            let direct: BTreeSet<String> = direct.filter_map(|(id, _)| reference(id)).collect();
            Some(json!({"ref": reference(id)?, "dependsOn": direct}))
        })
        .collect();
    let mut program = component(packages[root], Need::Runs, checksums);
    program["type"] = "application".into();
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": program},
        "components": components,
        "dependencies": dependencies,
    }))
}

/// Everything that a package is made of, and itself. What runs is reached by what runs alone.
fn needed<'a>(root: &'a str, nodes: &BTreeMap<&'a str, &'a Value>) -> BTreeMap<&'a str, Need> {
    let mut needed = BTreeMap::new();
    let mut waiting = vec![(root, Need::Runs)];
    while let Some((id, need)) = waiting.pop() {
        if needed.get(id).is_some_and(|known| *known <= need) {
            continue;
        }
        needed.insert(id, need);
        waiting.extend(direct(id, nodes).map(|(next, own)| (next, own.max(need))));
    }
    needed
}

/// What a package needs by itself; not what its tests need.
fn direct<'a>(
    id: &str,
    nodes: &BTreeMap<&'a str, &'a Value>,
) -> impl Iterator<Item = (&'a str, Need)> {
    let dependencies = nodes.get(id).map(|node| array(&node["deps"]));
    dependencies.into_iter().flatten().filter_map(|dependency| {
        let kinds: Vec<&Value> = array(&dependency["dep_kinds"]).collect();
        let is = |kind: &str| kinds.iter().any(|found| found["kind"] == kind);
        let need = match (
            kinds.iter().any(|found| found["kind"].is_null()),
            is("build"),
        ) {
            (true, _) => Need::Runs,
            (false, true) => Need::Builds,
            (false, false) => return None,
        };
        Some((dependency["pkg"].as_str()?, need))
    })
}

fn component(package: &Value, need: Need, checksums: &BTreeMap<(String, String), String>) -> Value {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": text("name"),
        "version": text("version"),
        "purl": purl(package),
        "scope": match need {
            Need::Runs => "required",
            Need::Builds => "excluded",
        },
    });
    if !text("license").is_empty() {
        // A form of before SPDX expressions.
        let expression = text("license").replace('/', " OR ");
        component["licenses"] = json!([{"expression": expression}]);
    }
    if !text("description").is_empty() {
        let words: Vec<&str> = text("description").split_whitespace().collect();
        component["description"] = words.join(" ").into();
    }
    let key = (text("name").to_owned(), text("version").to_owned());
    if let Some(checksum) = checksums.get(&key) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    if text("repository").starts_with("https://") {
        component["externalReferences"] = json!([{"type": "vcs", "url": text("repository")}]);
    }
    component
}

/// A package URL.
fn purl(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    // The one character of a version that has to be escaped.
    let version = text("version").replace('+', "%2B");
    format!("pkg:cargo/{}@{version}", text("name"))
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
