//! What `stoad doctor` says of a configuration.

use std::process::Command;

use serde_json::Value;

use super::folder::Folder;

/// What a doctor said, and its exit code.
pub(crate) struct Said {
    code: Option<i32>,
    pub(crate) findings: Vec<Value>,
}

impl Said {
    /// From what it wrote with `--json`, and its exit code.
    #[track_caller]
    pub(super) fn read(text: &str, code: Option<i32>, complaint: &str) -> Self {
        let findings = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("an object a line"));
        let findings: Vec<Value> = findings.collect();
        assert!(!findings.is_empty(), "{code:?} {complaint}");
        Self { code, findings }
    }

    /// Expects a finding of this family and level, in whose words all of these are.
    #[track_caller]
    pub(crate) fn has(&self, check: &str, level: &str, words: &[&str]) {
        let is_it = |finding: &&Value| {
            let text = finding.to_string();
            finding["check"] == check
                && finding["level"] == level
                && words.iter().all(|word| text.contains(word))
        };
        let all = &self.findings;
        assert!(
            all.iter().any(|finding| is_it(&finding)),
            "{check} {level} {words:?}: {all:#?}"
        );
        let is_failed = all.iter().any(|finding| finding["level"] == "FAIL");
        assert_eq!(self.code, Some(if is_failed { 71 } else { 0 }), "{all:#?}");
        for finding in all.iter().filter(|finding| finding["level"] != "OK") {
            let says = |key: &str| finding[key].as_str().is_some_and(|text| !text.is_empty());
            assert!(says("meaning") && says("mend"), "{finding}");
        }
    }
}

/// Has a configuration examined, by a command line that ends with the doctor's.
#[track_caller]
pub(crate) fn examine_by(command: &mut Command, folder: &Folder, text: &str) -> Said {
    let file = folder.write("stoad.yaml", text);
    let doctor = command
        .arg(env!("CARGO_BIN_EXE_stoad"))
        .args(["doctor", "--json"]);
    let ended = match doctor.arg(file).output() {
        Ok(ended) => ended,
        Err(error) => panic!("cannot start {doctor:?}: {error}: run `cargo xtask setup`"),
    };
    Said::read(
        &String::from_utf8_lossy(&ended.stdout),
        ended.status.code(),
        &String::from_utf8_lossy(&ended.stderr),
    )
}
