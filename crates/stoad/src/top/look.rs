//! One look at a node.

use std::{collections::BTreeMap, time::Instant};

use stoa_client::{
    Client,
    exposition::{self, ExpositionError},
};

use super::room::{self, RoomRow};
use crate::{arguments::top::Top, exit::Failure, ops_port::OpsPort, rooms};

/// What a node said, and when.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) at: Instant,
    /// Each metric by its name and those of its labels that tell its values apart.
    figures: BTreeMap<(String, String), f64>,
    /// The largest first. None: nobody asked for them.
    pub(super) rooms: Option<Vec<RoomRow>>,
}

/// The labels by which Stoa's metrics differ.
const LABELS: [&str; 8] = [
    "worker", "lobby", "stage", "reason", "resource", "role", "state", "newcomer",
];

impl Look {
    /// What a text of Prometheus's says.
    ///
    /// # Errors
    /// If it is none.
    pub(super) fn read(text: &str, at: Instant) -> Result<Self, ExpositionError> {
        let mut figures = BTreeMap::new();
        for sample in exposition::samples(text)? {
            let labels = LABELS
                .iter()
                .filter_map(|name| Some(format!("{name}={};", sample.label(name)?)));
            // Values that differ by other labels alone are added up.
            *figures
                .entry((sample.name.to_owned(), labels.collect()))
                .or_insert(0.0) += sample.value;
        }
        Ok(Self {
            at,
            figures,
            rooms: None,
        })
    }

    /// The value of a metric without such labels.
    pub(super) fn figure(&self, name: &str) -> Option<f64> {
        self.figures.get(&(name.to_owned(), String::new())).copied()
    }

    /// The values of a metric, added up by a label.
    pub(super) fn by(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        let begins = (name.to_owned(), String::new());
        for ((_, labels), value) in self
            .figures
            .range(begins..)
            .take_while(|((of, _), _)| of == name)
        {
            let value_of = |part: &str| {
                part.strip_prefix(label)?
                    .strip_prefix('=')
                    .map(str::to_owned)
            };
            if let Some(key) = labels.split(';').find_map(value_of) {
                *sums.entry(key).or_insert(0.0) += value;
            }
        }
        sums
    }
}

/// Looks at a node.
pub(super) struct Looker {
    ops: OpsPort,
    client: Option<Client>,
}

impl Looker {
    pub(super) async fn open(arguments: &Top) -> Result<Self, Failure> {
        let client = match arguments.control() {
            Some(control) => Some(rooms::connect(&control).await?),
            None => None,
        };
        Ok(Self {
            ops: OpsPort::new(&arguments.ops, None)?,
            client,
        })
    }

    /// # Errors
    /// [`Failure::Running`] if it does not answer.
    pub(super) async fn look(&self) -> Result<Look, Failure> {
        let text = self.ops.metrics().await?;
        let look = Look::read(&text, Instant::now());
        let mut look = look.map_err(|error| self.ops.failed(&error.to_string()))?;
        if let Some(client) = &self.client {
            look.rooms = Some(room::largest(client).await.map_err(rooms::refused)?);
        }
        Ok(look)
    }
}
