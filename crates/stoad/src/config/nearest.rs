//! The nearest right name, where somebody wrote a wrong one.

/// From which likeness on (Jaro, 0 to 1) a name is taken for the one that was meant: what clap does for the command
/// line.
const LIKE: f64 = 0.7;

/// How like two names are, 0 to 1. Of short names Jaro does not see that two letters have changed places.
fn likeness(wrong: &str, name: &str) -> f64 {
    match strsim::osa_distance(wrong, name) {
        0 | 1 => 1.0,
        _ => strsim::jaro(wrong, name),
    }
}

/// The name that was most likely meant, if one is like it.
pub(super) fn nearest<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wrong = wrong.to_ascii_lowercase();
    let likeness = names.into_iter().map(|name| (likeness(&wrong, name), name));
    let best = likeness.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(likeness, _)| *likeness >= LIKE)
        .map(|(_, name)| name)
}

/// A message of serde's, with the nearest right name where it is about a wrong one: `unknown field `prot`, expected one
/// of `bind`, `port` at line 3 column 3`.
pub(super) fn explained(message: String) -> String {
    let meant = || {
        let (_, rest) = message.split_once("unknown ")?;
        let mut quoted = rest.split('`').skip(1).step_by(2);
        let wrong = quoted.next()?;
        nearest(wrong, quoted)
    };
    match meant() {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_a_name_is_taken_for_it() {
        let names = ["bind", "port", "workers", "advertise"];
        assert_eq!(nearest("prot", names), Some("port"));
        assert_eq!(nearest("tpc", ["tcp", "bind"]), Some("tcp"));
        assert_eq!(nearest("Advertize", names), Some("advertise"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("port", []), None);
    }

    #[test]
    fn messages_about_anything_else_stay_as_they_are() {
        for message in ["invalid type: `x`", "unknown anchor at line 1", ""] {
            assert_eq!(explained(message.to_owned()), message);
        }
    }
}
