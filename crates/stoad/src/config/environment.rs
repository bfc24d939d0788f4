//! What the environment says in place of the file.
//!
//! `STOA__MEDIA__PORT=41000` is `media: {port: 41000}`: two underscores between the keys, the value in YAML. A list
//! or a mapping is replaced as a whole.

use std::ffi::OsString;

use serde_yaml::{Mapping, Value};

use super::{nearest::nearest, schema::Key};

/// What such variables begin with.
const PREFIX: &str = "STOA__";

/// How deep a key may be.
const DEEPEST: usize = 4;

/// A value that the environment sets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Override {
    variable: String,
    keys: Vec<String>,
    value: Value,
}

/// Those of a list of variables that are for the configuration, in the order of their names.
///
/// # Errors
/// Which variable is wrong, and why.
pub(super) fn overrides(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Override>, String> {
    let mut found = Vec::new();
    for (name, value) in variables {
        let Some(variable) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        let wrong = |why: &str| format!("the environment variable {variable}: {why}");
        let keys: Vec<String> = variable[PREFIX.len()..]
            .split("__")
            .map(str::to_ascii_lowercase)
            .collect();
        if keys.len() > DEEPEST || keys.iter().any(String::is_empty) {
            return Err(wrong("must be keys with two underscores between them"));
        }
        let text = value.to_str().ok_or_else(|| wrong("is not UTF-8"))?;
        let value = serde_yaml::from_str(text).map_err(|error| wrong(&error.to_string()))?;
        found.push(Override {
            variable: variable.to_owned(),
            keys,
            value,
        });
    }
    found.sort_by(|a, b| a.variable.cmp(&b.variable));
    Ok(found)
}

/// The file's text with those values in it, as text again.
///
/// # Errors
/// Why they cannot be put there.
pub(super) fn apply(text: &str, overrides: &[Override]) -> Result<String, String> {
    let mut whole: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    for change in overrides {
        let mut place = &mut whole;
        for key in &change.keys {
            // What is not there yet, or nothing, becomes a mapping.
            if place.is_null() {
                *place = Value::Mapping(Mapping::new());
            }
            let Value::Mapping(mapping) = place else {
                let variable = &change.variable;
                return Err(format!(
                    "the environment variable {variable}: what is above {key} is no mapping"
                ));
            };
            place = mapping.entry(key.as_str().into()).or_insert(Value::Null);
        }
        *place = change.value.clone();
    }
    // `limits:` alone is good as it stands in a file, and not as the null that would be written of it.
    for (key, section) in whole.as_mapping_mut().into_iter().flatten() {
        if section.is_null() && key != "whip" && key != "traces" {
            *section = Value::Mapping(Mapping::new());
        }
    }
    serde_yaml::to_string(&whole).map_err(|error| error.to_string())
}

/// Checks that the variables name keys that there are, as far as the keys have names of their own: what is in a list has
/// none.
///
/// # Errors
/// Which variable is wrong, and which was perhaps meant.
pub(super) fn check(overrides: &[Override], schema: Key<'_>) -> Result<(), String> {
    for change in overrides {
        let mut place = schema;
        for (depth, key) in change.keys.iter().enumerate() {
            if !place.has_keys() {
                break;
            }
            if let Some(below) = place.key(key) {
                place = below;
                continue;
            }
            let variable = &change.variable;
            let mut message = format!("the environment variable {variable}: there is no key {key}");
            if let Some(near) = nearest(key, place.names()) {
                let mut keys = change.keys.clone();
                near.clone_into(&mut keys[depth]);
                let meant = keys.join("__").to_ascii_uppercase();
                message += &format!("; did you mean {PREFIX}{meant}?");
            }
            return Err(message);
        }
    }
    Ok(())
}

/// The names of the variables, for messages.
pub(super) fn names(overrides: &[Override]) -> String {
    let names: Vec<&str> = overrides
        .iter()
        .map(|change| change.variable.as_str())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Vec<Override>, String> {
        overrides(
            variables
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into())),
        )
    }

    #[test]
    fn values_take_the_place_of_those_in_the_file() {
        let found = of(&[
            ("STOA__MEDIA__PORT", "41000"),
            ("STOA__MEDIA__ADVERTISE", "['192.0.2.1']"),
            ("STOA__LOG__LEVEL", "debug"),
            ("STOA_OTHER", "x"),
            ("PATH", "/bin"),
        ]);
        let found = found.expect("they are right");
        let text = apply("media:\n  port: 1\n  tcp: false\nlog:\nstate: {}\n", &found);
        let whole: Value = serde_yaml::from_str(&text.expect("they fit")).expect("YAML");
        assert_eq!(whole["media"]["port"], Value::from(41_000));
        assert_eq!(whole["media"]["tcp"], Value::from(false));
        assert_eq!(whole["media"]["advertise"][0], Value::from("192.0.2.1"));
        assert_eq!(whole["log"]["level"], Value::from("debug"));
        assert!(whole["state"].as_mapping().is_some_and(Mapping::is_empty));
    }

    #[test]
    fn wrong_ones_are_named() {
        for (name, value) in [
            ("STOA__", "1"),
            ("STOA__MEDIA__", "1"),
            ("STOA__A__B__C__D__E", "1"),
            ("STOA__MEDIA__PORT", "[1"),
        ] {
            let error = of(&[(name, value)]).expect_err(name);
            assert!(error.contains(name), "{error}");
        }
        let below = of(&[("STOA__MEDIA__PORT__X", "1")]).expect("it is well formed");
        let error = apply("media: {port: 1}", &below).expect_err("a number has no keys");
        assert!(error.contains("STOA__MEDIA__PORT__X"), "{error}");
    }
}
