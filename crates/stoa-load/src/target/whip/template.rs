//! An address with places for the room and for who comes.

use std::{fmt, str::FromStr};

use crate::http;

/// The places that there are.
const PLACES: [&str; 2] = ["room", "who"];

/// Such an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(String);

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("{{{0}}} is no place in it; there are {{room}} and {{who}}")]
    Place(String),
    #[error("a brace is not closed")]
    Open,
    #[error("{0}")]
    Address(String),
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(TemplateError::Open)?;
            if !PLACES.contains(&name) {
                return Err(TemplateError::Place(name.to_owned()));
            }
            rest = after;
        }
        let template = Self(text.to_owned());
        let filled = http::host_and_port(&template.fill("room", "who"));
        filled.map_err(|error| TemplateError::Address(error.to_string()))?;
        Ok(template)
    }
}

impl Template {
    /// The address. The tester's own names are of letters, digits and hyphens, so nothing has to be escaped.
    pub(crate) fn fill(&self, room: &str, who: &str) -> String {
        self.0.replace("{room}", room).replace("{who}", who)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_wherever_they_are() {
        let template: Template = "https://a.example/{room}/x-{who}?r={room}"
            .parse()
            .expect("one");
        assert_eq!(
            template.fill("hall-0", "ada-1"),
            "https://a.example/hall-0/x-ada-1?r=hall-0"
        );
        let plain: Template = "http://a.example:8080/whip".parse().expect("one");
        assert_eq!(plain.fill("hall", "ada"), "http://a.example:8080/whip");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let parse = |text: &str| text.parse::<Template>().expect_err("it is none");
        assert_eq!(
            parse("https://a/{rom}"),
            TemplateError::Place("rom".to_owned())
        );
        assert_eq!(parse("https://a/{room"), TemplateError::Open);
        for bad in ["a.example/whip", "ftp://a/{room}", "", "https://"] {
            assert!(matches!(parse(bad), TemplateError::Address(_)), "{bad}");
        }
    }
}
