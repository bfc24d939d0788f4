//! What holds, by the file, the environment, the defaults and the machine together, as one text.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::Path,
};

use super::{Config, cgroup, schema};
use crate::exit::Failure;

impl Config {
    /// What holds, as one YAML text, and where it comes from where nobody has written it. Secrets are not in it.
    ///
    /// # Errors
    /// Those of [`Config::read`].
    pub(crate) fn print(path: &Path) -> Result<String, Failure> {
        let mut config = Self::read_whole(path)?;
        let found = config.take_of_machine();
        let text = serde_yaml::to_string(&config);
        let text = text.map_err(|error| Failure::Config(error.to_string()))?;
        Ok(explained(&text, &found))
    }

    /// Media workers: as many as are written, or as the process may use cores.
    pub(super) fn worker_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.media.workers.map_or_else(cores, NonZeroUsize::get)
    }

    /// Fills in what follows of this machine, where nothing is written. Returns the keys.
    fn take_of_machine(&mut self) -> Vec<&'static str> {
        let mut found = Vec::new();
        if self.media.workers.is_none() {
            self.media.workers = NonZeroUsize::new(self.worker_count());
            found.push("media.workers");
        }
        if self.media.advertise.is_empty() {
            let bound = self.media.bind.iter();
            let reachable = bound.filter(|address| !address.is_unspecified());
            let texts = reachable.map(ToString::to_string);
            self.media.advertise = texts.filter_map(|text| text.parse().ok()).collect();
            found.push("media.advertise");
        }
        if self.capacity.memory_mib.is_none() {
            let mib = cgroup::memory_limit().and_then(|bytes| u32::try_from(bytes >> 20).ok());
            self.capacity.memory_mib = mib.and_then(NonZeroU32::new);
            found.push("capacity.memory_mib");
        }
        found
    }
}

/// The text with a remark where a key has no value, and where it is one of those that were `found` out: what the
/// schema says of its default.
fn explained(text: &str, found: &[&str]) -> String {
    let mut place: Vec<(usize, &str)> = Vec::new();
    let mut explained = String::new();
    for line in text.lines() {
        explained.push_str(line);
        let trimmed = line.trim_start_matches([' ', '-']);
        let indent = line.len() - trimmed.len();
        if let Some((key, value)) = trimmed.split_once(':') {
            place.retain(|(at, _)| *at < indent);
            place.push((indent, key));
            let path: Vec<&str> = place.iter().map(|(_, key)| *key).collect();
            let is_silent = value == " null" || found.contains(&path.join(".").as_str());
            if is_silent && let Some(default) = default_of(&path) {
                explained.push_str("  # by default: ");
                explained.push_str(default);
            }
        }
        explained.push('\n');
    }
    explained
}

/// What the schema says of the default of a key.
fn default_of(path: &[&str]) -> Option<&'static str> {
    let mut key = schema::whole();
    for name in path {
        key = key.items().unwrap_or(key).key(name)?;
    }
    key.default_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_value_is_explained_where_it_stands() {
        let text = "media:\n  workers: 2\n  tcp: true\ntenants:\n- name: a\n  quotas:\n    rooms: null\n    bans: 3\n\
                    capacity:\n  memory_mib: null\nrooms: null\n";
        let expected = "media:\n  workers: 2  # by default: the number of cores this process may use\n  tcp: true\n\
                        tenants:\n- name: a\n  quotas:\n    rooms: null  # by default: as many as the node has\n    bans: 3\n\
                        capacity:\n  memory_mib: null  # by default: what its control group may (`memory.max`), else no limit\n\
                        rooms: null\n";
        assert_eq!(explained(text, &["media.workers"]), expected);
        assert!(!explained(text, &[]).contains("cores"), "it is written");
    }
}
