//! The comparison as one page that needs nothing else.

use super::{Comparison, Comparisons, table};
use crate::report::{chart::escape, html::STYLE};

/// The page.
pub(crate) fn draw(comparisons: &Comparisons) -> String {
    let parts: String = comparisons.all.iter().map(comparison).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>stoa-load: peers</title>\n\
         <style>\n{STYLE}</style></head>\n<body>\n<h1>A Stoa beside a Janus</h1>\n{parts}</body></html>\n"
    )
}

fn comparison(comparison: &Comparison) -> String {
    let yaml = comparison.rounds.first();
    let yaml = yaml.map_or("", |round| round.report.scenario_yaml.as_str());
    format!(
        "<h2>{}</h2>\n<pre>{}</pre>\n<h3>What was played</h3>\n<pre>{}</pre>\n",
        escape(&comparison.scenario),
        escape(&table::comparison(comparison)),
        escape(yaml)
    )
}
