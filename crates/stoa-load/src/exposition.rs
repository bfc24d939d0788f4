//! What a server says of itself, in Prometheus's text format (version 0.0.4).

use std::collections::BTreeMap;

/// The figures of a load test in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Exposed {
    /// Seconds of processors, of the whole process.
    pub(crate) cpu_seconds: Option<f64>,
    /// Resident memory, in bytes.
    pub(crate) memory: Option<u64>,
    /// Seconds at work, of each media worker.
    pub(crate) busy_seconds: BTreeMap<String, f64>,
}

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("line {line} is not Prometheus's text format: {why}")]
pub(crate) struct ExpositionError {
    line: usize,
    why: &'static str,
}

/// Reads what is of use of it; what is not, has to have the form all the same.
///
/// # Errors
/// The first line that has not.
pub(crate) fn read(text: &str) -> Result<Exposed, ExpositionError> {
    let mut exposed = Exposed::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why| ExpositionError {
            line: number + 1,
            why,
        };
        let (name, labels, value) = sample(line).map_err(wrong)?;
        match name {
            "process_cpu_seconds_total" => exposed.cpu_seconds = Some(value),
            "process_resident_memory_bytes" if value >= 0.0 => exposed.memory = Some(value as u64),
            "stoa_worker_busy_seconds_total" => {
                let worker = label(labels, "worker").ok_or(wrong("a worker without a number"))?;
                exposed.busy_seconds.insert(worker.to_owned(), value);
            }
            _ => {}
        }
    }
    Ok(exposed)
}

/// A line's name, labels and value.
fn sample(line: &str) -> Result<(&str, &str, f64), &'static str> {
    let end = line
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .ok_or("no value")?;
    let (name, rest) = line.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("no name");
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => {
            let end = end_of_labels(rest).ok_or("labels that do not end")?;
            (&rest[..end], &rest[end + 1..])
        }
        None => ("", rest),
    };
    // A time stamp may follow.
    let value = rest.split_whitespace().next().ok_or("no value")?;
    let value = value.parse().map_err(|_| "a value that is no number")?;
    Ok((name, labels, value))
}

/// Where the brace is that closes them: not one in a value.
fn end_of_labels(rest: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The value of a label that has no quotes in it.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    labels.split(',').find_map(|label| {
        let (key, value) = label.split_once('=')?;
        let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        (key.trim() == name).then_some(value)
    })
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
                    other{a=\"x } \\\" y\",b=\"2\"} +Inf\n\n";
        let exposed = read(text).expect("it is right");
        assert_eq!(exposed.cpu_seconds, Some(12.5));
        assert_eq!(exposed.memory, Some(1_048_576));
        let busy: Vec<_> = exposed.busy_seconds.into_iter().collect();
        assert_eq!(busy, [("0".to_owned(), 1.25), ("1".to_owned(), 2.0)]);
    }

    #[test]
    fn a_server_of_another_kind_says_nothing_of_workers() {
        let exposed = read("process_cpu_seconds_total 1\n").expect("it is right");
        assert!(exposed.busy_seconds.is_empty() && exposed.memory.is_none());
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
