//! The scenarios that come with the tester.

/// Their names and texts.
pub(crate) const READY: [(&str, &str); 10] = [
    (
        "conversation",
        include_str!("../../scenarios/conversation.yaml"),
    ),
    ("stage", include_str!("../../scenarios/stage.yaml")),
    (
        "many-rooms",
        include_str!("../../scenarios/many-rooms.yaml"),
    ),
    ("ramp", include_str!("../../scenarios/ramp.yaml")),
    (
        "join-storm",
        include_str!("../../scenarios/join-storm.yaml"),
    ),
    ("churn", include_str!("../../scenarios/churn.yaml")),
    ("impaired", include_str!("../../scenarios/impaired.yaml")),
    (
        "moderation",
        include_str!("../../scenarios/moderation.yaml"),
    ),
    ("peers-one", include_str!("../../scenarios/peers-one.yaml")),
    (
        "peers-three",
        include_str!("../../scenarios/peers-three.yaml"),
    ),
];

/// The text of one.
pub(crate) fn ready(name: &str) -> Option<&'static str> {
    let found = READY.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}
