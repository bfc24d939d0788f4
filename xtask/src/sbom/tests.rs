use super::*;

fn texts<'a>(of: &'a Value, key: &str) -> Vec<&'a str> {
    array(of).filter_map(|value| value[key].as_str()).collect()
}

/// Of the real sources: what the schema of CycloneDX 1.6 asks for, and what we want of it beyond that.
#[test]
fn the_daemon_is_made_of_what_cargo_has_resolved() {
    let document = document_of("stoad").expect("a document");
    assert_eq!(document["bomFormat"], "CycloneDX");
    assert_eq!(document["specVersion"], "1.6");
    let program = &document["metadata"]["component"];
    assert_eq!(
        (&program["type"], &program["name"]),
        (&"application".into(), &"stoad".into())
    );

    let components = &document["components"];
    let names = texts(components, "name");
    for there in [
        "str0m",
        "dimpl",
        "aws-lc-rs",
        "quinn",
        "h3",
        "stoa-core",
        "serde_yaml_ng",
    ] {
        assert!(names.contains(&there), "{there} is missing");
    }
    for not_there in [
        "proptest",
        "criterion",
        "stoa-sim",
        "stoa-load",
        "libfuzzer-sys",
        "stoad",
    ] {
        assert!(
            !names.contains(&not_there),
            "{not_there} is not in the program"
        );
    }
    let references = texts(components, "bom-ref");
    let unique: BTreeSet<&str> = references.iter().copied().collect();
    assert_eq!(
        unique.len(),
        references.len(),
        "two components with one name"
    );
    for component in array(components) {
        assert_eq!(component["type"], "library");
        assert!(matches!(
            component["scope"].as_str(),
            Some("required" | "excluded")
        ));
        let licence = component["licenses"][0]["expression"].as_str();
        assert!(
            licence.is_some_and(|text| !text.contains('/')),
            "{component}"
        );
        let is_ours = component["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("stoa"));
        let hash = component["hashes"][0]["content"]
            .as_str()
            .unwrap_or_default();
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_ours || is_hash, "{component}");
    }
    for dependency in array(&document["dependencies"]) {
        let known = |reference: &str| unique.contains(reference) || program["bom-ref"] == reference;
        assert!(
            dependency["ref"].as_str().is_some_and(known),
            "{dependency}"
        );
        let mut on = array(&dependency["dependsOn"]).filter_map(Value::as_str);
        assert!(on.all(known), "{dependency}");
    }
}

#[test]
fn what_only_builds_is_not_in_the_program() {
    let package = |name: &str| {
        let source = if name == "ours" {
            Value::Null
        } else {
            "registry".into()
        };
        json!({"id": name, "name": name, "version": "1.0.0+x", "license": "MIT/ISC", "source": source})
    };
    let needs = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
    let packages = ["ours", "runs", "builds", "tests", "both"].map(package);
    let metadata = json!({
        "packages": packages,
        "resolve": {"nodes": [
            {"id": "ours", "deps": [
                needs("runs", Value::Null), needs("builds", "build".into()), needs("tests", "dev".into()),
            ]},
            {"id": "runs", "deps": [needs("both", Value::Null)]},
            {"id": "builds", "deps": [needs("both", Value::Null)]},
        ]},
    });
    let lock = "[[package]]\nname = \"runs\"\nversion = \"1.0.0+x\"\nchecksum = \"abc\"\n";
    let document = document("ours", &metadata, &checksums(lock)).expect("a document");
    let components: Vec<_> = array(&document["components"])
        .map(|component| (component["name"].as_str(), component["scope"].as_str()))
        .collect();
    let expected = [
        ("both", "required"),
        ("builds", "excluded"),
        ("runs", "required"),
    ];
    assert_eq!(
        components,
        expected.map(|(name, scope)| (Some(name), Some(scope)))
    );
    let runs = &document["components"][2];
    assert_eq!(runs["bom-ref"], "pkg:cargo/runs@1.0.0%2Bx");
    assert_eq!(runs["licenses"][0]["expression"], "MIT OR ISC");
    assert_eq!(runs["hashes"][0]["content"], "abc");
    assert!(super::document("nobody", &metadata, &BTreeMap::new()).is_err());
}
