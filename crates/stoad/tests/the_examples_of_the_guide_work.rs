//! The examples of docs/signalling.md play their story against a daemon, and see of it what the guide says.

mod support;

use std::time::Duration;

#[test]
fn the_examples_of_the_guide_work() {
    let daemon = support::Daemon::dev();
    let said = support::python_example("signalling.py", &daemon, Duration::from_secs(60));

    // What the watch tells is in the order of what happened; the answers to calls come beside it.
    let (told, answers): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.starts_with("told: "));
    let expected = [
        "told: room_created",
        "told: participant_joined",
        "told: participant_updated role",
        "told: participant_updated muted_by_moderator",
        "told: participant_left",
    ];
    assert_eq!(told, expected, "{said}");
    let expected = [
        "answered: True, may resume: True",
        "refused: PARTICIPANT_ALREADY_EXISTS",
    ];
    assert_eq!(answers, expected, "{said}");
}
