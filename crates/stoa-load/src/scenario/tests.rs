use super::*;

const GOOD: &str = "\
about: for a test
seconds: 5
groups:
  - name: people
    count: 4
    role: speaker
    talk: conversation
";

fn error(text: &str) -> String {
    Scenario::parse(text).expect_err("it is wrong").to_string()
}

fn with(line: &str) -> String {
    format!("{GOOD}{line}\n")
}

#[test]
fn what_comes_along_can_be_played() {
    for (name, text) in READY {
        let scenario = Scenario::parse(text);
        let scenario = scenario.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(scenario.about.len() > 10, "{name}");
    }
    assert!(Scenario::parse(GOOD).is_ok());
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    let text = error(&GOOD.replace("    talk:", "    tlak:"));
    assert!(
        text.contains("tlak") && text.contains("line 7") && text.contains("groups[0]"),
        "{text}"
    );
    let text = error(&with("speed: 3"));
    assert!(text.contains("speed") && text.contains("line 8"), "{text}");
    let text = error(&with("limits:\n  los_percent: 3"));
    assert!(
        text.contains("los_percent") && text.contains("limits"),
        "{text}"
    );
}

#[test]
fn impossible_values_are_named_with_their_place() {
    let cases = [
        (GOOD.replace("seconds: 5", "seconds: 0"), "seconds"),
        (
            GOOD.replace("name: people", "name: 'a b'"),
            "groups[0].name",
        ),
        (GOOD.replace("count: 4", "count: 4000000"), "groups"),
        (with("    at_once: 2"), "groups[0]"),
        (
            with("    joins_per_second: 0"),
            "groups[0].joins_per_second",
        ),
        (
            with("    network: {loss_percent: 120}"),
            "groups[0].network",
        ),
        (with("room: {slots: 9}"), "room.slots"),
        (with("rooms: 0"), "rooms"),
        (
            with("ramp: {group: nobody, step: 1, hold_seconds: 1, most: 9}"),
            "ramp.group",
        ),
        (
            with("ramp: {group: people, step: 0, hold_seconds: 1, most: 9}"),
            "ramp",
        ),
        (
            with("churn: {group: people, per_second: -1}"),
            "churn.per_second",
        ),
        (
            with("moderation: {group: people, per_second: 1}"),
            "moderation.group",
        ),
    ];
    for (text, place) in cases {
        let error = error(&text);
        assert!(error.starts_with(&format!("{place}: ")), "{error}");
    }
}

#[test]
fn two_groups_of_one_name_are_refused() {
    let again = "  - {name: people, count: 1, role: listener}";
    assert!(error(&with(again)).starts_with("groups[1].name: "));
}
