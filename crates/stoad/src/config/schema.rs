//! The configuration as a JSON schema, made from its types: what editors complete and check by, what the reference is
//! written from, and what says of each key whether it changes while the daemon runs.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Config;

/// Of each key: whether a reload applies it (`true`), or it waits for a restart.
pub(super) const RELOAD: &str = "x-reload";

/// Where the default is no value, what to say of it.
pub(super) const DEFAULT: &str = "x-default";

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<Config>();
    schema.insert("title".to_owned(), "The configuration of stoad".into());
    schema.to_value()
});

/// The schema of a whole configuration.
pub(super) fn whole() -> Key<'static> {
    Key(&SCHEMA)
}

/// The same as a file.
pub(crate) fn text() -> String {
    let text = serde_json::to_string_pretty(&*SCHEMA);
    text.expect("a JSON value can be written") + "\n"
}

/// What the schema says of one key, or of the whole.
#[derive(Clone, Copy)]
pub(super) struct Key<'a>(&'a Value);

impl<'a> Key<'a> {
    fn properties(self) -> Option<&'a Map<String, Value>> {
        // What may be absent is one of two.
        let some = || self.0.get("anyOf")?.get(0)?.get("properties");
        self.0.get("properties").or_else(some)?.as_object()
    }

    /// Whether it is a section, with keys of its own.
    pub(super) fn has_keys(self) -> bool {
        self.properties().is_some()
    }

    /// Its keys, by their names.
    pub(super) fn keys(self) -> impl Iterator<Item = (&'a str, Self)> {
        let keys = self.properties().into_iter().flatten();
        keys.map(|(name, schema)| (name.as_str(), Self(schema)))
    }

    /// The names of its keys.
    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        self.keys().map(|(name, _)| name)
    }

    /// One of its keys.
    pub(super) fn key(self, name: &str) -> Option<Self> {
        self.properties()?.get(name).map(Self)
    }

    /// What a list has in it, where that has keys.
    pub(super) fn items(self) -> Option<Self> {
        let items = Self(self.0.get("items")?);
        items.has_keys().then_some(items)
    }

    /// Whether a reload applies it; `None`: nobody has said so.
    pub(super) fn reloads(self) -> Option<bool> {
        self.0.get(RELOAD)?.as_bool()
    }

    /// What it means.
    pub(super) fn description(self) -> &'a str {
        let description = self.0.get("description").and_then(Value::as_str);
        description.unwrap_or_default()
    }

    /// What to say of its default.
    pub(super) fn default_text(self) -> Option<&'a str> {
        self.0.get(DEFAULT)?.as_str()
    }

    /// Its default.
    pub(super) fn default(self) -> Option<&'a Value> {
        self.0.get("default")
    }

    /// Whether a section without this key is none.
    pub(super) fn requires(self, name: &str) -> bool {
        let required = self.0.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|one| one == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key below, with its place.
    fn walk(of: Key<'_>, place: &str, found: &mut Vec<(String, Option<bool>, bool)>) {
        for (name, key) in of.keys() {
            let place = format!("{place}{name}");
            if key.has_keys() {
                walk(key, &format!("{place}."), found);
                continue;
            }
            found.push((place.clone(), key.reloads(), key.description().is_empty()));
            if let Some(items) = key.items() {
                walk(items, &format!("{place}[]."), found);
            }
        }
    }

    #[test]
    fn every_key_says_whether_it_changes_while_the_daemon_runs() {
        let mut found = Vec::new();
        walk(whole(), "", &mut found);
        assert!(found.len() > 50, "{found:?}");
        let places = |wrong: fn(&(String, Option<bool>, bool)) -> bool| -> Vec<_> {
            found
                .iter()
                .filter(|key| wrong(key))
                .map(|(place, ..)| place)
                .collect()
        };
        let silent = places(|(_, reloads, _)| reloads.is_none());
        assert!(silent.is_empty(), "neither reload nor restart: {silent:?}");
        let unexplained = places(|(_, _, unexplained)| *unexplained);
        assert!(unexplained.is_empty(), "without a word: {unexplained:?}");
    }

    #[test]
    fn the_file_for_editors_is_up_to_date() {
        let file = include_str!("../../../../deploy/stoad.schema.json");
        assert!(
            file == text(),
            "run: cargo run -p stoad -- config schema > deploy/stoad.schema.json"
        );
    }
}
