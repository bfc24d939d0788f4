//! What is seen while it runs: a bar and a live line on a terminal, and nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    play::Show,
    report::{Second, chart::number_of},
};

/// On the standard error output, if that is a terminal.
pub(crate) struct Terminal {
    bar: ProgressBar,
    phase: String,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::no_length();
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            phase: String::new(),
        }
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Show for Terminal {
    fn phase(&mut self, what: &str, seconds: Option<u64>) {
        let template = match seconds {
            Some(_) => "{elapsed_precise} {bar:30} {pos}/{len} s {msg}",
            None => "{elapsed_precise} {spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(seconds.unwrap_or(0));
        self.bar.set_position(0);
        self.phase = what.to_owned();
        self.bar.set_message(self.phase.clone());
    }

    fn second(&mut self, second: &Second) {
        if second.measured {
            self.bar.inc(1);
        }
        let mut line = format!(
            "{}: {} peers, {} packets/s, {} % lost",
            self.phase,
            second.peers,
            second.received,
            number_of(second.loss_percent)
        );
        let mut add = |name: &str, value: Option<f64>, unit: &str| {
            if let Some(value) = value {
                line.push_str(&format!(", {name} {} {unit}", number_of(value)));
            }
        };
        add("p99", second.latency_p99_ms, "ms");
        add("server", second.server_cpu_percent, "%");
        add("tester", Some(second.tester.cpu_percent), "%");
        self.bar.set_message(line);
    }
}
