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
    use super::*;

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
