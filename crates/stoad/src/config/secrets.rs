//! What of a configuration is not for everybody's eyes.

use serde_yaml::Value;

/// The keys whose values are secrets. Keys of callers are in the file as hashes only, certificates and the keys of
/// tokens as the names of files.
const SECRET: [&str; 1] = ["credential"];

const HIDDEN: &str = "(hidden)";

/// A configuration's text without them. What is no YAML has no place for secrets that would be known, and is hidden
/// as a whole.
pub(super) fn hidden(text: &str) -> String {
    let hide = || -> Result<String, serde_yaml::Error> {
        let mut whole: Value = serde_yaml::from_str(text)?;
        hide_in(&mut whole);
        serde_yaml::to_string(&whole)
    };
    hide().unwrap_or_else(|_| format!("{HIDDEN}\n"))
}

fn hide_in(value: &mut Value) {
    match value {
        Value::Mapping(mapping) => {
            for (key, value) in mapping.iter_mut() {
                match key.as_str().is_some_and(|key| SECRET.contains(&key)) {
                    true => *value = Value::from(HIDDEN),
                    false => hide_in(value),
                }
            }
        }
        Value::Sequence(values) => values.iter_mut().for_each(hide_in),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let text = "whip:\n  ice_servers:\n  - urls: ['turn:a']\n    username: u\n    credential: s3cret\n";
        let shown = hidden(text);
        assert!(
            !shown.contains("s3cret") && shown.contains("turn:a"),
            "{shown}"
        );
        assert!(!hidden("credential: [s3cret").contains("s3cret"));
    }
}
