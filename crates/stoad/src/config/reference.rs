//! The reference of all keys in Markdown, from the schema.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::{self, Key};

/// The part of docs/configuration.md that is written by this.
pub(crate) fn markdown() -> String {
    let mut text = String::new();
    for (name, section) in required_first(schema::whole()) {
        // A list of sections, such as the tenants, is described by what is in it.
        let keys = section.items().unwrap_or(section);
        let _ = write!(text, "## {name}\n\n{}\n\n", section.description());
        text += "| key | meaning | default | a new value |\n| --- | --- | --- | --- |\n";
        rows(keys, "", &mut text);
        text.push('\n');
    }
    text
}

fn rows(of: Key<'_>, place: &str, text: &mut String) {
    for (name, key) in required_first(of) {
        let place = format!("{place}{name}");
        if key.has_keys() {
            rows(key, &format!("{place}."), text);
            continue;
        }
        let meaning = key.description().split_whitespace();
        let meaning = meaning.collect::<Vec<_>>().join(" ").replace('|', "\\|");
        let takes_effect = match key.reloads() {
            Some(true) => "reload",
            _ => "restart",
        };
        let default = default(of, name, key);
        let _ = writeln!(
            text,
            "| `{place}` | {meaning} | {default} | {takes_effect} |"
        );
        if let Some(items) = key.items() {
            rows(items, &format!("{place}[]."), text);
        }
    }
}

/// The keys, those that have to be there first, otherwise by their names.
fn required_first<'a>(of: Key<'a>) -> Vec<(&'a str, Key<'a>)> {
    let mut keys: Vec<_> = of.keys().collect();
    keys.sort_by_key(|(name, _)| (!of.requires(name), *name));
    keys
}

fn default(of: Key<'_>, name: &str, key: Key<'_>) -> String {
    if of.requires(name) {
        return "required".to_owned();
    }
    if let Some(text) = key.default_text() {
        return text.to_owned();
    }
    match key.default() {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::Array(values)) if values.is_empty() => "none".to_owned(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use stoa_docs::Kind;

    use super::*;

    /// The load tester's scenarios have sections of the same names.
    const SCENARIOS: &str = "docs/load-testing.md";

    /// Every key with its section, and without it where the section is a list: so they are written in the documents.
    fn places() -> BTreeSet<String> {
        let mut places = BTreeSet::new();
        for (name, section) in schema::whole().keys() {
            let mut text = String::new();
            rows(section.items().unwrap_or(section), "", &mut text);
            let rows = text
                .lines()
                .filter_map(|row| row.strip_prefix("| `")?.split('`').next());
            for row in rows {
                // A group of keys has a name, too.
                let ends = row
                    .match_indices('.')
                    .map(|(end, _)| end)
                    .chain([row.len()]);
                places.extend(ends.clone().map(|end| format!("{name}.{}", &row[..end])));
                if section.items().is_some() {
                    places.extend(ends.map(|end| row[..end].to_owned()));
                }
            }
        }
        places
    }

    #[test]
    fn the_documents_name_only_keys_that_there_are() {
        let places = places();
        assert!(places.contains("media.bind") && places.contains("quotas.connections"));
        let sections: BTreeSet<_> = places
            .iter()
            .filter_map(|place| place.split('.').next())
            .collect();
        let chart = include_str!("../../../../deploy/helm/stoa/values.yaml");
        let chart: serde_yaml::Value = serde_yaml::from_str(chart).expect("it is YAML");
        let mut wrong = Vec::new();
        for document in stoa_docs::documents().expect("the documents can be read") {
            for code in document.code() {
                // `media.tcp: false` names the key, too.
                let place = code.text.split(':').next().unwrap_or_default();
                let Some((section, key)) = place.split_once('.') else {
                    continue;
                };
                let is_key = key
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || "_.[]".contains(c));
                let is_file = ["rs", "proto"].contains(&key);
                let of_the_chart = !chart[section][key].is_null();
                if code.kind == Kind::Span
                    && document.path != SCENARIOS
                    && is_key
                    && sections.contains(section)
                    && !(is_file || of_the_chart || places.contains(place))
                {
                    wrong.push(format!("{}:{}: {place}", document.path, code.line));
                }
            }
        }
        assert!(wrong.is_empty(), "there are no such keys: {wrong:#?}");
    }

    #[test]
    fn the_documentation_is_up_to_date() {
        let page = include_str!("../../../../docs/configuration.md");
        let (_, rest) = page
            .split_once("<!-- begin of the reference -->\n")
            .expect("it begins");
        let (part, _) = rest
            .split_once("<!-- end of the reference -->")
            .expect("it ends");
        assert!(
            part == markdown(),
            "docs/configuration.md is not what the types say; between its marks belongs: cargo run -p stoad -- config reference"
        );
    }
}
