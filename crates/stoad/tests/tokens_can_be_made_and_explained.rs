//! `stoad token` makes keys and tokens and says what is wrong with one, without ever showing a secret.

mod support;

use std::os::unix::fs::PermissionsExt as _;

use support::{Ended, Folder, configuration, stoad};

/// A folder with a configuration that has the tenant `acme`, and a key of each kind.
struct Keys {
    folder: Folder,
}

impl Keys {
    fn new() -> Self {
        let folder = Folder::with_credentials();
        let path = |name: &str| folder.file(name).display().to_string();
        let mut yaml = format!("{}  - name: acme\n", configuration());
        for (algorithm, kid) in [("EdDSA", "e"), ("HS256", "h")] {
            let made = stoad([
                "token",
                "keygen",
                "--kid",
                kid,
                "--algorithm",
                algorithm,
                "--out",
                &path(kid),
            ]);
            assert_eq!(made.code, Some(0), "{}", made.stderr);
            let entry = made
                .stdout
                .lines()
                .filter(|line| kid == "e" || !line.contains("token_keys"));
            for line in entry {
                yaml.push_str(&format!("{line}\n"));
            }
        }
        folder.write("stoad.yaml", &yaml);
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.file(name).display().to_string()
    }

    fn make(&self, kid: &str, algorithm: &str, more: &[&str]) -> Ended {
        let key = self.path(kid);
        let mut arguments = vec!["token", "make", "--key", &key, "--algorithm", algorithm];
        arguments.extend(["--kid", kid, "--room", "hall", "--participant", "ada"]);
        arguments.extend(more);
        stoad(arguments)
    }

    fn explain(&self, token: &str) -> Ended {
        stoad([
            "token",
            "explain",
            "--config",
            &self.path("stoad.yaml"),
            token,
        ])
    }
}

#[test]
fn what_is_made_is_good_for_a_node_with_that_configuration() {
    let keys = Keys::new();
    let config = keys.path("stoad.yaml");
    let checked = stoad(["check", config.as_str()]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    for (kid, algorithm) in [("e", "EdDSA"), ("h", "HS256")] {
        let more = [
            "--tenant",
            "acme",
            "--role",
            "speaker",
            "--publish",
            "audio,music",
            "--once",
        ];
        let made = keys.make(kid, algorithm, &more);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        let explained = keys.explain(made.stdout.trim());
        assert_eq!(explained.code, Some(0), "{}", explained.stderr);
        for part in [
            "acme",
            "hall",
            "ada",
            "speaker",
            "audio, music",
            "lets in once",
            "is good",
        ] {
            assert!(
                explained.stdout.contains(part),
                "{part}:\n{}",
                explained.stdout
            );
        }
        let secret = std::fs::read_to_string(keys.path(kid)).expect("the key");
        let secret = secret
            .lines()
            .find(|line| !line.starts_with('-'))
            .expect("a line");
        assert!(!explained.stdout.contains(secret) && !explained.stderr.contains(secret));
        let with_key = [
            "token",
            "explain",
            made.stdout.trim(),
            "--key",
            &keys.path(kid),
        ];
        let with_key = stoad(with_key.into_iter().chain(["--algorithm", algorithm]));
        assert_eq!(with_key.code, Some(0), "{}", with_key.stderr);
    }
}

#[test]
fn a_token_that_is_not_good_is_explained() {
    let keys = Keys::new();
    let made = keys.make("e", "EdDSA", &["--tenant", "other"]);
    let foreign = keys.explain(made.stdout.trim());
    assert_eq!(foreign.code, Some(1));
    assert!(
        foreign.stderr.contains("foreign_tenant"),
        "{}",
        foreign.stderr
    );
    let confused = keys.make("e", "HS256", &["--tenant", "acme"]);
    assert_eq!(
        confused.code,
        Some(0),
        "a PEM file is long enough for a secret"
    );
    let confused = keys.explain(confused.stdout.trim());
    assert_eq!(confused.code, Some(1));
    assert!(
        confused.stderr.contains("wrong_algorithm"),
        "{}",
        confused.stderr
    );
    let nonsense = keys.explain("nonsense");
    assert_eq!(nonsense.code, Some(1));
    assert!(
        nonsense.stderr.contains("not_compact"),
        "{}",
        nonsense.stderr
    );
}

#[test]
fn nothing_is_made_that_no_node_would_take() {
    let keys = Keys::new();
    for (more, named) in [
        (["--tenant", "a b"], "--tenant"),
        (["--lifetime", "3601"], "--lifetime"),
        (["--publish", "video"], "--publish"),
    ] {
        let made = keys.make("e", "EdDSA", &more);
        assert_ne!(made.code, Some(0));
        assert!(
            made.stdout.is_empty() && made.stderr.contains(named),
            "{}",
            made.stderr
        );
    }
}

#[test]
fn a_key_is_its_owners_and_is_not_overwritten() {
    let keys = Keys::new();
    for kid in ["e", "h"] {
        let file = keys.path(kid);
        let mode = std::fs::metadata(&file)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = std::fs::read(&file).expect("it is there");
        let again = stoad(["token", "keygen", "--kid", "x", "--out", &file]);
        assert_eq!(again.code, Some(66), "{}", again.stderr);
        assert_eq!(std::fs::read(&file).expect("it is there"), before);
    }
    let bad_name = keys.path("new");
    let refused = stoad(["token", "keygen", "--kid", "a b", "--out", &bad_name]);
    assert_eq!(refused.code, Some(1));
    assert!(!keys.folder.file("new").exists());
}
