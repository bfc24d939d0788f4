use std::time::{Duration, Instant};

use super::*;

/// What a node says that has been at work for so long and has forwarded so much.
fn look(start: u32, busy: f64, sent: u32, at: Instant) -> Look {
    let (received, sent_bytes, fewer) = (1_000 * sent, 2_000 * sent, sent / 10);
    let text = format!(
        "process_start_time_seconds {start}\nstoa_rooms 2\nstoa_draining 0\n\
         stoa_participants{{role=\"listener\",state=\"connected\"}} 40\n\
         stoa_participants{{role=\"listener\",state=\"connecting\"}} 2\n\
         stoa_saturation_level 0\nstoa_saturation_ratio{{resource=\"workers\"}} 0.25\nstoa_listeners_fit 900\n\
         stoa_worker_busy_seconds_total{{worker=\"0\"}} {busy}\nstoa_worker_busy_seconds_total{{worker=\"10\"}} 0\n\
         stoa_worker_busy_seconds_total{{worker=\"2\"}} 0\nstoa_worker_seats{{worker=\"0\"}} 42\n\
         stoa_datagrams_sent_total{{worker=\"0\"}} {sent}\nstoa_send_queue_datagrams{{worker=\"0\"}} 3\n\
         stoa_received_bytes_total{{worker=\"0\"}} {received}\nstoa_sent_bytes_total{{worker=\"0\"}} {sent_bytes}\n\
         stoa_dropped_total{{worker=\"0\",reason=\"address_limit\"}} {fewer}\n\
         stoa_dropped_total{{worker=\"0\",reason=\"late\"}} {sent}\nstoa_dropped_total{{worker=\"0\",reason=\"malformed\"}} 7\n\
         stoa_lobby_joins_total{{lobby=\"0\",stage=\"lost\"}} {sent}\n"
    );
    Look::read(&text, at).expect("it has the form")
}

/// A view as the tests of drawing have it, too.
pub(in super::super) fn sample() -> View {
    let begin = Instant::now();
    let mut now = look(1, 11.0, 1_300, begin + Duration::from_secs(2));
    now.rooms = Some(vec![RoomRow {
        room: "hall".to_owned(),
        listeners: 40,
        speakers: 2,
        moderators: 1,
        muted: 1,
    }]);
    View::of(Some(&look(1, 10.0, 1_000, begin)), Ok(&now))
}

#[test]
fn rates_are_what_has_been_counted_since() {
    let view = sample();
    let first = &view.workers[0];
    assert_eq!(
        (first.busy, first.packets_out, first.packets_in),
        (Some(0.5), Some(150.0), None)
    );
    assert_eq!(
        (first.bytes_in, first.bytes_out),
        (Some(150_000.0), Some(300_000.0))
    );
    assert_eq!((first.seats, first.queue), (Some(42.0), Some(3.0)));
    let order: Vec<&str> = view.workers.iter().map(|worker| &*worker.worker).collect();
    assert_eq!(order, ["0", "2", "10"]);
    assert_eq!(
        view.drops,
        [
            ("late".to_owned(), 150.0),
            ("address_limit".to_owned(), 15.0)
        ],
        "the most first, and what did not move is left out"
    );
    assert_eq!(view.joins.get("lost"), Some(&Some(150.0)));
    assert_eq!(view.participants.get("listener"), Some(&42.0));
    assert_eq!((view.fitting_listeners, view.gone), (Some(900.0), None));
}

#[test]
fn a_node_that_was_started_anew_has_no_rates_yet() {
    let begin = Instant::now();
    let later = begin + Duration::from_secs(2);
    let before = look(1, 10.0, 1_000, begin);
    for now in [look(2, 20.0, 5_000, later), look(1, 1.0, 10, later)] {
        let view = View::of(Some(&before), Ok(&now));
        assert_eq!(
            (view.workers[0].busy, view.workers[0].packets_out),
            (None, None)
        );
        assert!(view.drops.is_empty());
        assert_eq!(view.workers[0].seats, Some(42.0));
    }
    // Nor has the first look, nor one at the same moment.
    assert_eq!(View::of(None, Ok(&before)).workers[0].busy, None);
    assert_eq!(View::of(Some(&before), Ok(&before)).workers[0].busy, None);
}

#[test]
fn how_the_node_stands_is_read() {
    let text = "stoa_draining 1\nstoa_saturation_level 3\n";
    let now = Look::read(text, Instant::now()).expect("it has the form");
    let view = View::of(None, Ok(&now));
    assert_eq!((view.draining, view.saturation_level), (true, Some(3.0)));
    let view = sample();
    assert_eq!((view.draining, view.saturation_level), (false, Some(0.0)));
    assert_eq!(view.saturation.get("workers"), Some(&0.25));
}

#[test]
fn a_node_that_vanishes_is_shown_as_gone() {
    let before = look(1, 10.0, 1_000, Instant::now());
    let view = View::of(Some(&before), Err("does not answer".to_owned()));
    let expected = View {
        gone: Some("does not answer".to_owned()),
        ..View::default()
    };
    assert_eq!(view, expected);
}

/// A name that no node says would be shown as a gap for ever.
#[test]
fn what_is_looked_at_is_said_by_nodes() {
    let names = include_str!("../view.rs").split('"');
    let names: Vec<&str> = names.filter(|name| name.starts_with("stoa_")).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let is_said = stoa_ops::CATALOGUE.iter().any(|metric| metric.name == name);
        assert!(is_said, "{name}");
    }
}
