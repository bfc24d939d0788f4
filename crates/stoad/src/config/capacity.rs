//! What the node may use, and from when on it refuses.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use stoa_control::CapacitySettings;

use super::cgroup;

/// The least ratio that makes sense: what is refused is taken again a twentieth below it.
const LEAST: f64 = 0.1;

/// What the node may use, and from when on it refuses: [operations.md](operations.md#when-a-node-is-full). Ratios are 0.1
/// to 1, of whichever resource is nearest to its end.
///
/// How much time the media workers have is no key: as many processors as the process may use (affinity and the control
/// group's quota, in whole processors), and no more than there are workers.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Capacity {
    /// Whether anything is refused for want of capacity. `false`: it is only told how full the node is. For a first look
    /// at a new machine, and for measurements up to its end.
    #[schemars(extend("x-reload" = true))]
    enforce: bool,
    /// From here on no rooms are created. Lower where rooms grow long after they were made.
    #[serde(deserialize_with = "ratio")]
    #[schemars(extend("x-reload" = true))]
    soft_ratio: f64,
    /// From here on no listeners are let in; at half of what it leaves, nobody. Not below `soft_ratio`. Lower where
    /// latency matters more than the number of people.
    #[serde(deserialize_with = "ratio")]
    #[schemars(extend("x-reload" = true))]
    hard_ratio: f64,
    /// What the node may send, with the headers of IP and UDP: what the network card or the plan allows.
    #[schemars(extend("x-reload" = true, "x-default" = "no limit"))]
    bandwidth_mbit_per_second: Option<NonZeroU32>,
    /// What the process may have.
    #[schemars(extend("x-reload" = true, "x-default" = "what its control group may (`memory.max`), else no limit"))]
    pub(super) memory_mib: Option<NonZeroU32>,
}

impl Default for Capacity {
    fn default() -> Self {
        let settings = CapacitySettings::default();
        Self {
            enforce: settings.enforce,
            soft_ratio: settings.soft_ratio,
            hard_ratio: settings.hard_ratio,
            bandwidth_mbit_per_second: None,
            memory_mib: None,
        }
    }
}

fn ratio<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let ratio = f64::deserialize(deserializer)?;
    match (LEAST..=1.0).contains(&ratio) {
        true => Ok(ratio),
        false => Err(D::Error::custom(format!("must be {LEAST} to 1"))),
    }
}

impl Capacity {
    /// What the control service is told, of a node whose workers may have so many seats each.
    ///
    /// # Errors
    /// What does not fit together.
    pub(super) fn settings(&self, seats_per_worker: usize) -> Result<CapacitySettings, String> {
        if self.soft_ratio > self.hard_ratio {
            return Err(format!(
                "soft_ratio ({}) must not be above hard_ratio ({})",
                self.soft_ratio, self.hard_ratio
            ));
        }
        let memory = self.memory_mib.map(|memory| u64::from(memory.get()) << 20);
        let bandwidth = self.bandwidth_mbit_per_second;
        Ok(CapacitySettings {
            enforce: self.enforce,
            soft_ratio: self.soft_ratio,
            hard_ratio: self.hard_ratio,
            bandwidth: bandwidth.map(|mbit| u64::from(mbit.get()) * 1_000_000),
            memory: memory.or_else(cgroup::memory_limit),
            seats_per_worker,
            ..CapacitySettings::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Capacity, String> {
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_takes_effect() {
        let text = "{enforce: false, soft_ratio: 0.5, hard_ratio: 0.8, bandwidth_mbit_per_second: 100, memory_mib: 512}";
        let settings = parse(text).unwrap().settings(7).unwrap();
        let expected = CapacitySettings {
            enforce: false,
            soft_ratio: 0.5,
            hard_ratio: 0.8,
            bandwidth: Some(100_000_000),
            memory: Some(512 << 20),
            seats_per_worker: 7,
            ..CapacitySettings::default()
        };
        assert_eq!(settings, expected);
        let defaults = parse("{}").unwrap().settings(7).unwrap();
        assert!(defaults.enforce && defaults.bandwidth.is_none());
        assert_eq!((defaults.soft_ratio, defaults.hard_ratio), (0.7, 0.9));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (text, expected) in [
            ("{soft_ratio: 0}", "must be 0.1 to 1"),
            ("{hard_ratio: 1.1}", "must be 0.1 to 1"),
            ("{hard_ratio: .nan}", "must be 0.1 to 1"),
            ("{bandwidth_mbit_per_second: 0}", "nonzero"),
            ("{memory_mib: -1}", "u32"),
            ("{hard: 1}", "unknown field `hard`"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
        let twisted = parse("{soft_ratio: 0.8, hard_ratio: 0.7}").unwrap();
        let error = twisted.settings(1).expect_err("soft above hard");
        assert!(error.contains("soft_ratio (0.8)"), "{error}");
    }
}
