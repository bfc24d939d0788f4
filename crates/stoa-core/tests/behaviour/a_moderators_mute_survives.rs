//! A mute that a moderator sets is not the participant's to take back, by no way; the participant's own
//! mute is theirs alone.

use std::time::Duration;

use stoa_core::{MuteSource, ParticipantChange, Role};
use stoa_sim::{ClientId, Net, oracle};

const SPELL: Duration = Duration::from_millis(400);

/// Whether anything of what one says now reaches the other.
fn is_heard(net: &mut Net, speaker: ClientId, listener: ClientId) -> bool {
    net.run_for(Duration::from_millis(50));
    let before = net.clients[listener].heard.len();
    net.speak(&[(speaker, 20)], SPELL);
    net.run_for(Duration::from_millis(50));
    net.clients[listener].heard.len() > before
}

#[test]
fn by_no_means_of_the_participant() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    assert!(is_heard(&mut net, ann, ben));
    net.set_muted(ann, MuteSource::Moderator, true);
    assert!(!is_heard(&mut net, ann, ben));

    net.set_muted(ann, MuteSource::Participant, true);
    net.set_muted(ann, MuteSource::Participant, false);
    assert!(
        !is_heard(&mut net, ann, ben),
        "their own mute is another one"
    );
    net.set_role(ann, Role::Moderator);
    assert!(!is_heard(&mut net, ann, ben), "nor does a role undo it");

    net.hang_up(ann);
    net.run_for(Duration::from_millis(100));
    let again = net.join("ann", 3);
    assert!(
        !is_heard(&mut net, again, ben),
        "nor leaving and coming back"
    );
    let shown = net.snapshot("room").participants;
    assert!(
        shown
            .iter()
            .any(|p| p.participant.as_str() == "ann" && p.mutes.by_moderator)
    );

    net.set_muted(again, MuteSource::Moderator, false);
    assert!(is_heard(&mut net, again, ben));
    oracle::assert_holds(&net);
}

#[test]
fn ones_own_mute_ends_with_the_session_and_not_with_the_moderators() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.set_muted(ann, MuteSource::Participant, true);
    net.set_muted(ann, MuteSource::Moderator, true);
    net.set_muted(ann, MuteSource::Moderator, false);
    assert!(
        !is_heard(&mut net, ann, ben),
        "a moderator does not unmute a person"
    );
    net.hang_up(ann);
    net.run_for(Duration::from_millis(100));
    let again = net.join("ann", 3);
    assert!(is_heard(&mut net, again, ben));
}

#[test]
fn saying_it_twice_changes_the_room_once() {
    let mut net = Net::new();
    let ann = net.join("ann", 3);
    let muted = net.set_muted(ann, MuteSource::Moderator, true);
    assert_eq!(net.set_muted(ann, MuteSource::Moderator, true), muted);
    let raised = net.change(
        ann,
        ParticipantChange::Description {
            display_name: Some("Ann".into()),
            metadata: None,
            audio_mode: None,
        },
    );
    assert_eq!(raised, muted.next());
}
