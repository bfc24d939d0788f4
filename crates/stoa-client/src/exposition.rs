//! What a node says of itself on its ops port, in Prometheus's text format (version 0.0.4).

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not Prometheus's text format: {why}")]
pub struct ExpositionError {
    line: usize,
    why: &'static str,
}

/// One value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// The line it stands on, from 1.
    pub line: usize,
    /// The metric.
    pub name: &'a str,
    labels: &'a str,
    /// The value, in the metric's unit.
    pub value: f64,
}

impl<'a> Sample<'a> {
    /// The value of a label that has neither quotes nor commas in it; Stoa's have none.
    pub fn label(&self, name: &str) -> Option<&'a str> {
        self.labels.split(',').find_map(|label| {
            let (key, value) = label.split_once('=')?;
            let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
            (key.trim() == name).then_some(value)
        })
    }

    /// That this sample has not what is needed of it.
    pub fn wrong(&self, why: &'static str) -> ExpositionError {
        ExpositionError {
            line: self.line,
            why,
        }
    }
}

/// All values in a text.
///
/// # Errors
/// The first line that has not the form.
pub fn samples(text: &str) -> Result<Vec<Sample<'_>>, ExpositionError> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = number + 1;
        let (name, labels, value) =
            sample(line).map_err(|why| ExpositionError { line: number, why })?;
        found.push(Sample {
            line: number,
            name,
            labels,
            value,
        });
    }
    Ok(found)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_with_their_labels() {
        let text =
            "# HELP a x\na{b=\"1\",c=\"two\"} 2 1395066363000\n\nother{a=\"x } \\\" y\"} +Inf\n";
        let found = samples(text).expect("it is right");
        assert_eq!(
            (found[0].line, found[0].name, found[0].value),
            (2, "a", 2.0)
        );
        assert_eq!(
            (found[0].label("c"), found[0].label("d")),
            (Some("two"), None)
        );
        assert_eq!((found[1].line, found[1].value), (4, f64::INFINITY));
        let error = samples("good 1\n<html>\n").expect_err("it is none");
        assert!(error.to_string().starts_with("line 2 "), "{error}");
    }
}
