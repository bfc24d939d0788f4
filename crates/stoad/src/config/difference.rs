//! What differs between two configurations, by key.

use serde_json::Value;

use super::{
    Config,
    schema::{self, Key},
};

/// What a reload makes of another configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Keys that hold from now on.
    pub(crate) applied: Vec<String>,
    /// Keys that wait for a restart, and are as they were.
    pub(crate) waiting: Vec<String>,
}

impl Difference {
    /// From what runs, and what the daemon was started with, to what was read. Secrets are compared where the types know
    /// them, and never shown.
    pub(crate) fn between(started: &Config, running: &Config, read: &Config) -> Self {
        let mut difference = Self::default();
        let (started, before, now) = (value(started), value(running), value(read));
        walk(schema::whole(), &before, &now, "", &mut |key, reloads| {
            if reloads {
                difference.applied.push(key);
            }
        });
        walk(schema::whole(), &started, &now, "", &mut |key, reloads| {
            if !reloads {
                difference.waiting.push(key);
            }
        });
        let ice_servers = "whip.ice_servers";
        if let (Some(before), Some(now)) = (&running.whip, &read.whip)
            && !now.has_ice_servers_of(before)
            && !difference.applied.iter().any(|key| key == ice_servers)
        {
            difference.applied.push(ice_servers.to_owned());
        }
        difference
    }
}

fn value(config: &Config) -> Value {
    serde_json::to_value(config).expect("every key has a name, and every value is one of JSON")
}

/// Tells of each key that differs where it is, and whether a reload applies it.
fn walk(of: Key<'_>, before: &Value, now: &Value, place: &str, tell: &mut dyn FnMut(String, bool)) {
    for (name, key) in of.keys() {
        let (before, now) = (&before[name], &now[name]);
        if before == now {
            continue;
        }
        let place = format!("{place}{name}");
        let is_whole = before.is_object() && now.is_object();
        if key.has_keys() && is_whole {
            walk(key, before, now, &format!("{place}."), tell);
        } else if let Some(items) = key.items().filter(|items| items.key("name").is_some()) {
            named(items, (before, now), &place, tell);
        } else {
            // A section that comes or goes is served, or not, since the start.
            tell(place, key.reloads().unwrap_or(false));
        }
    }
}

/// The same of lists whose members have names.
fn named(
    of: Key<'_>,
    (before, now): (&Value, &Value),
    place: &str,
    tell: &mut dyn FnMut(String, bool),
) {
    let none = Vec::new();
    let (before, now) = (
        before.as_array().unwrap_or(&none),
        now.as_array().unwrap_or(&none),
    );
    let name = |member: &Value| member["name"].as_str().unwrap_or_default().to_owned();
    let of_name = |members: &'_ [Value], wanted: &str| {
        members
            .iter()
            .find(|member| name(member) == wanted)
            .cloned()
    };
    for member in now {
        let name = name(member);
        let place = format!("{place}[{name}]");
        match of_name(before, &name) {
            Some(before) => walk(of, &before, member, &format!("{place}."), tell),
            None => {
                // It comes, but for what no reload brings.
                tell(place.clone(), true);
                walk(
                    of,
                    &blank(member),
                    member,
                    &format!("{place}."),
                    &mut |key, reloads| {
                        if !reloads {
                            tell(key, false);
                        }
                    },
                );
            }
        }
    }
    for member in before {
        let name = name(member);
        if of_name(now, &name).is_none() {
            tell(format!("{place}[{name}]"), true);
        }
    }
}

/// The same sections with nothing in them.
fn blank(of: &Value) -> Value {
    match of {
        Value::Object(keys) => keys
            .iter()
            .map(|(name, value)| (name.clone(), blank(value)))
            .collect(),
        _ => Value::Null,
    }
}
