use std::time::Instant;

use slotmap::SlotMap;

use super::*;
use crate::{
    audio_level::AudioLevel,
    compose::{Destination, StreamId},
    ids::{Csrc, SlotIndex},
    keys::{BankKey, ParticipantKey},
    red::Payload,
    rtp::{RtpTime, SeqExt},
    splice::Place,
};

const OPUS: u8 = 111;
const RED: u8 = 63;

fn composed(payload: Payload, level: Option<LevelExtension>) -> Composed {
    let mut participants = SlotMap::<ParticipantKey, ()>::with_key();
    let mut banks = SlotMap::<BankKey, ()>::with_key();
    Composed {
        stream: StreamId {
            bank: banks.insert(()),
            slot: SlotIndex(0),
            tenure: 0,
            is_main: true,
        },
        destination: Destination::AllBut(participants.insert(())),
        place: Place {
            seq: SeqExt(7),
            time: RtpTime(7),
            marker: true,
            ahead: 0,
        },
        arrived: Instant::now(),
        preroll: None,
        csrc: Csrc(0x0102_0304),
        level,
        payload,
    }
}

fn profile(opus: u8, red: Option<u8>, level_id: Option<u8>) -> WireProfile {
    let formats = Formats {
        opus: opus.into(),
        red: red.map(Into::into),
    };
    WireProfile { formats, level_id }
}

/// A packet of which each listener's own fields are zero.
fn packet(first: u8, payload_type: u8, extension: &[u8], payload: &[u8]) -> Vec<u8> {
    let fixed = [[first, payload_type].as_slice(), &[0; 10], &[1, 2, 3, 4]].concat();
    [&fixed, extension, payload].concat()
}

#[test]
fn each_gets_what_they_negotiated() {
    let redundant = [0x80 | OPUS, 0, 0, 2, OPUS, b'a', b'b', b'c', b'd'];
    let payload = Payload::redundant(redundant.as_slice().into(), OPUS).unwrap();
    let level = LevelExtension {
        level: AudioLevel::from_minus_dbov(30),
        voice: true,
    };
    let composed = composed(payload, Some(level));
    let one_byte = [0xBE, 0xDE, 0, 1, 0x10, 0x80 | 30, 0, 0];
    let two_bytes = [0x10, 0, 0, 1, 15, 1, 0x80 | 30, 0];
    let cases = [
        (
            profile(OPUS, None, Some(1)),
            packet(0x91, OPUS, &one_byte, b"cd"),
        ),
        (
            profile(OPUS, Some(RED), Some(1)),
            packet(0x91, RED, &one_byte, &redundant),
        ),
        // To this one, the blocks' payload type means something else.
        (
            profile(96, Some(RED), Some(15)),
            packet(0x91, 96, &two_bytes, b"cd"),
        ),
        (profile(OPUS, None, None), packet(0x81, OPUS, &[], b"cd")),
    ];
    let mut templates = Templates::default();
    for (written, (profile, expected)) in cases.iter().enumerate() {
        assert!(!templates.is_full());
        assert_eq!(templates.find(*profile), None);
        assert_eq!(templates.write(*profile, &composed), written);
        assert_eq!(templates.find(*profile), Some(written));
        let Template {
            header, payload, ..
        } = templates.get(written);
        assert_eq!([header.as_slice(), payload].concat(), *expected);
    }
    assert!(templates.is_full());
    templates.clear();
    assert_eq!(templates.find(cases[0].0), None);
}
