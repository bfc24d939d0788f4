//! What a check has to say, and how it is printed.

use serde_json::json;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Works, and not as well as it could; or it cannot be told from here.
    Warn,
    /// Has to be mended.
    Fail,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// What a check has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// The family of the check; docs/doctor.md has a row for each.
    pub(super) check: &'static str,
    pub(super) level: Level,
    /// What was measured.
    pub(super) measured: String,
    /// What it means for those who talk; empty where all is well.
    pub(super) meaning: String,
    /// The command or the YAML key that mends it; empty where there is nothing to mend.
    pub(super) mend: String,
}

impl Finding {
    pub(super) fn ok(check: &'static str, measured: String) -> Self {
        Self::new(check, Level::Ok, measured, "")
    }

    pub(super) fn warn(check: &'static str, measured: String, meaning: &str) -> Self {
        Self::new(check, Level::Warn, measured, meaning)
    }

    pub(super) fn fail(check: &'static str, measured: String, meaning: &str) -> Self {
        Self::new(check, Level::Fail, measured, meaning)
    }

    fn new(check: &'static str, level: Level, measured: String, meaning: &str) -> Self {
        Self {
            check,
            level,
            measured,
            meaning: meaning.to_owned(),
            mend: String::new(),
        }
    }

    /// The same with what mends it.
    pub(super) fn mend(mut self, how: impl Into<String>) -> Self {
        self.mend = how.into();
        self
    }
}

/// For a terminal: a line each, and below those that are not well what that means and what mends it.
pub(super) fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max();
    let width = width.unwrap_or(0);
    let indent = " ".repeat(width + 8);
    let mut text = String::new();
    for finding in findings {
        let (level, check) = (finding.level.name(), finding.check);
        text += &format!(
            "{level:<4}  {check:<width$}  {}\n",
            printable(&finding.measured)
        );
        for (what, said) in [("means", &finding.meaning), ("mend", &finding.mend)] {
            if !said.is_empty() {
                text += &format!("{indent}{what}: {}\n", printable(said));
            }
        }
    }
    let count = |level| {
        findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    };
    let (ok, warn, fail) = (count(Level::Ok), count(Level::Warn), count(Level::Fail));
    text + &format!("\n{ok} OK, {warn} WARN, {fail} FAIL\n")
}

/// For machines: an object a line.
pub(super) fn lines(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let object = json!({
            "check": finding.check,
            "level": finding.level.name(),
            "measured": finding.measured,
            "meaning": finding.meaning,
            "mend": finding.mend,
        });
        format!("{object}\n")
    };
    findings.iter().map(line).collect()
}

/// What stands in a certificate or in the name of a file is anybody's text, and this is a terminal.
fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_what_mends_what_is_not_well() {
        let bad = Finding::fail("mtu", "eth0 has\u{1b} 1000".to_owned(), "joins fail")
            .mend("ip link set eth0 mtu 1500");
        let findings = [Finding::ok("clock", "is right".to_owned()), bad];
        let expected = "\
OK    clock  is right
FAIL  mtu    eth0 has\u{fffd} 1000
             means: joins fail
             mend: ip link set eth0 mtu 1500

1 OK, 0 WARN, 1 FAIL
";
        assert_eq!(table(&findings), expected);
        let first = lines(&findings);
        let first = first.lines().next().expect("a line each");
        assert!(
            first.contains("\"check\":\"clock\"") && first.contains("\"level\":\"OK\""),
            "{first}"
        );
    }
}
