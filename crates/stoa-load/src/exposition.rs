//! What a server says of itself, in Prometheus's text format (version 0.0.4).

use std::collections::BTreeMap;

use stoa_client::exposition::{ExpositionError, samples};

/// The figures of a load test in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Exposed {
    /// Seconds of processors, of the whole process.
    pub(crate) cpu_seconds: Option<f64>,
    /// Resident memory, in bytes.
    pub(crate) memory: Option<u64>,
    /// Open descriptors.
    pub(crate) descriptors: Option<u64>,
    /// What is due at some time, of all media workers.
    pub(crate) timers: Option<u64>,
    /// Seconds at work, of each media worker.
    pub(crate) busy_seconds: BTreeMap<String, f64>,
}

/// Reads what is of use of it; what is not, has to have the form all the same.
///
/// # Errors
/// The first line that has not.
pub(crate) fn read(text: &str) -> Result<Exposed, ExpositionError> {
    let mut exposed = Exposed::default();
    for sample in samples(text)? {
        let value = sample.value;
        match sample.name {
            "process_cpu_seconds_total" => exposed.cpu_seconds = Some(value),
            "process_resident_memory_bytes" if value >= 0.0 => exposed.memory = Some(value as u64),
            "process_open_fds" if value >= 0.0 => exposed.descriptors = Some(value as u64),
            "stoa_worker_timers" if value >= 0.0 => {
                *exposed.timers.get_or_insert_default() += value as u64;
            }
            "stoa_worker_busy_seconds_total" => {
                let worker = sample.label("worker");
                let worker = worker.ok_or(sample.wrong("a worker without a number"))?;
                exposed.busy_seconds.insert(worker.to_owned(), value);
            }
            _ => {}
        }
    }
    Ok(exposed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_among_others() {
        let text = "# HELP process_cpu_seconds_total x\n# TYPE process_cpu_seconds_total counter\n\
                    process_cpu_seconds_total 12.5\nprocess_resident_memory_bytes 1.048576e+06\n\
                    stoa_worker_busy_seconds_total{worker=\"0\"} 1.25\n\
                    stoa_worker_busy_seconds_total{worker=\"1\"} 2 1395066363000\n\
                    process_open_fds 21\nstoa_worker_timers{worker=\"0\"} 30\n\
                    stoa_worker_timers{worker=\"1\"} 12\n\
                    other{a=\"x } \\\" y\",b=\"2\"} +Inf\n\n";
        let exposed = read(text).expect("it is right");
        assert_eq!(exposed.cpu_seconds, Some(12.5));
        assert_eq!(exposed.memory, Some(1_048_576));
        assert_eq!((exposed.descriptors, exposed.timers), (Some(21), Some(42)));
        let busy: Vec<_> = exposed.busy_seconds.into_iter().collect();
        assert_eq!(busy, [("0".to_owned(), 1.25), ("1".to_owned(), 2.0)]);
    }

    #[test]
    fn a_server_of_another_kind_says_nothing_of_workers() {
        let exposed = read("process_cpu_seconds_total 1\n").expect("it is right");
        assert!(exposed.busy_seconds.is_empty() && exposed.timers.is_none());
        assert_eq!(read(""), Ok(Exposed::default()));
    }

    #[test]
    fn what_is_no_exposition_is_named_by_its_line() {
        for bad in [
            "<html>",
            "name",
            "name{a=\"1\"",
            "name x",
            "1name 2",
            "{a=\"1\"} 2",
            "stoa_worker_busy_seconds_total{lobby=\"0\"} 1",
            "n{\u{e9}=\"\u{1f600}",
        ] {
            let error = read(&format!("good 1\n{bad}\n")).expect_err(bad);
            assert!(error.to_string().starts_with("line 2 "), "{error}");
        }
    }
}
