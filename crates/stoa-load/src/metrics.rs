//! The server's own figures, by the page on which it has them for Prometheus.

use std::{path::Path, time::Duration};

use hyper::{HeaderMap, Method};

use stoa_client::exposition::ExpositionError;

use crate::{
    exposition::{self, Exposed},
    http::{Http, HttpError, Question},
};

/// How long it may take to answer at first, and later, when it is asked once a second.
const AT_FIRST: Duration = Duration::from_secs(5);
const LATER: Duration = Duration::from_millis(900);

/// Why the figures cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetricsError {
    #[error("the server's metrics at {url}: {source}")]
    Http { url: String, source: HttpError },
    #[error("the server's metrics at {url}: the answer is {status}, and not 200")]
    Status { url: String, status: u16 },
    #[error("the server's metrics at {url}: {source}")]
    Text {
        url: String,
        source: ExpositionError,
    },
    #[error(
        "the server's metrics at {0}: neither processor time nor memory is among them \
         (process_cpu_seconds_total, process_resident_memory_bytes)"
    )]
    Nothing(String),
}

/// Where they are.
#[derive(Clone)]
pub(crate) struct ServerMetrics {
    http: Http,
    url: String,
}

impl ServerMetrics {
    /// Looks whether they can be had.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub(crate) async fn open(url: &str, ca_file: Option<&Path>) -> Result<Self, MetricsError> {
        let secure = ca_file.filter(|_| url.starts_with("https:"));
        let http = Http::new(secure).map_err(|source| MetricsError::Http {
            url: url.to_owned(),
            source,
        })?;
        let metrics = Self {
            http,
            url: url.to_owned(),
        };
        let exposed = metrics.ask(AT_FIRST).await?;
        match exposed.cpu_seconds.is_none() && exposed.memory.is_none() {
            true => Err(MetricsError::Nothing(url.to_owned())),
            false => Ok(metrics),
        }
    }

    /// What they are now. `None`: it does not say in time, and that is counted.
    pub(crate) async fn read(&self) -> Option<Exposed> {
        self.ask(LATER).await.ok()
    }

    async fn ask(&self, within: Duration) -> Result<Exposed, MetricsError> {
        let url = || self.url.clone();
        let question = Question {
            method: Method::GET,
            url: &self.url,
            headers: HeaderMap::new(),
            body: None,
            within,
        };
        let answer = self.http.ask(question).await;
        let answer = answer.map_err(|source| MetricsError::Http { url: url(), source })?;
        if answer.status != 200 {
            return Err(MetricsError::Status {
                url: url(),
                status: answer.status,
            });
        }
        exposition::read(&answer.text()).map_err(|source| MetricsError::Text { url: url(), source })
    }
}

/// What the busiest media worker used of a core between two readings, in percent.
pub(crate) fn busiest_percent(now: &Exposed, before: &Exposed, passed: Duration) -> Option<f64> {
    let seconds = passed.as_secs_f64();
    let of_worker = |(worker, now): (&String, &f64)| {
        let before = before.busy_seconds.get(worker)?;
        (seconds > 0.0).then(|| 100.0 * (now - before).max(0.0) / seconds)
    };
    let workers = now.busy_seconds.iter().filter_map(of_worker);
    workers.max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_worker_is_found() {
        let of = |workers: [f64; 2]| Exposed {
            busy_seconds: ["0", "1"]
                .map(str::to_owned)
                .into_iter()
                .zip(workers)
                .collect(),
            ..Exposed::default()
        };
        let second = Duration::from_secs(1);
        let busy = busiest_percent(&of([1.5, 9.0]), &of([1.0, 8.9]), second);
        assert!(
            busy.is_some_and(|busy| (busy - 50.0).abs() < 1e-9),
            "{busy:?}"
        );
        // It was started anew meanwhile.
        assert_eq!(
            busiest_percent(&of([0.1, 0.1]), &of([1.0, 8.9]), second),
            Some(0.0)
        );
        assert_eq!(
            busiest_percent(&Exposed::default(), &of([1.0, 1.0]), second),
            None
        );
        assert_eq!(
            busiest_percent(&of([1.0; 2]), &of([1.0; 2]), Duration::ZERO),
            None
        );
    }
}
