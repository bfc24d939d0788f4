//! What oracles allow a listener whose seat is at another worker than the home of their room.

use super::*;

/// Cem, the last listener, is seated elsewhere, and what is between workers takes a frame.
fn spread_history() -> History {
    let mut history = history();
    history.between_workers = FRAME;
    history.members[2].is_seated_elsewhere = true;
    history
}

#[test]
fn what_a_seat_elsewhere_cannot_know_yet_is_no_violation_but_what_comes_later_is() {
    let mut left = spread_history();
    left.members[2].is_in.decide(after(971), false);
    assert_eq!(nobody_hears_after_leaving(&left).len(), 2);

    let mut chosen = spread_history();
    let but_ann = Subscription::all_except(BTreeSet::from([participant("ann")])).unwrap();
    chosen.members[2]
        .choice
        .decide(after(0), Subscription::EVERYBODY);
    chosen.members[2].choice.decide(after(501), but_ann);
    assert_eq!(nobody_hears_whom_they_do_not_want(&chosen).len(), 48);

    for (number, found) in [(52, 0), (54, 1)] {
        let mut twice = chosen.clone();
        let heard = twice.heard.iter();
        let of_cem = |packet: &&Packet| (packet.listener, packet.number) == (2, number);
        let again = heard.clone().find(of_cem).copied();
        twice.heard.extend(again);
        assert_eq!(nobody_hears_anything_twice(&twice).len(), found, "{number}");
    }
}

#[test]
fn a_voice_that_goes_by_itself_may_be_under_way_between_workers_but_no_muted_one() {
    let mut muted = spread_history();
    muted.members[0].may_speak.decide(after(501), false);
    assert_eq!(nobody_hears_who_may_not_speak(&muted).len(), 2 * 49);
    muted.members[0].spoke_until = Some(FRAME * 50);
    // Nothing was under way to Ben, who is where the room is.
    assert_eq!(nobody_hears_who_may_not_speak(&muted).len(), 49 + 48);
}
