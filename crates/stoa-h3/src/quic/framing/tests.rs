use super::*;

/// Everything that comes out when `wire` arrives in chunks of `size` bytes.
fn pieces(framing: &mut Framing, wire: &[u8], size: usize) -> Result<Vec<Bytes>, Refused> {
    let mut out = Vec::new();
    for chunk in wire.chunks(size) {
        framing.push(Bytes::copy_from_slice(chunk));
        while let Some(piece) = framing.next_piece()? {
            assert!(!piece.is_empty());
            out.push(piece);
        }
    }
    Ok(out)
}

#[test]
fn a_piece_never_holds_bytes_of_two_frames() {
    let wire = [
        [0x01, 0x02].as_slice(),
        b"hh",
        &[0x00, 0x03],
        b"abc",
        &[0x00, 0x40, 0x02], // the length in its two-byte form
        b"de",
    ]
    .concat();
    let mut framing = Framing::request(100);
    let whole = pieces(&mut framing, &wire, wire.len()).unwrap();
    let expected: [&[u8]; 6] = [&[1, 2], b"hh", &[0, 3], b"abc", &[0, 0x40, 2], b"de"];
    assert_eq!(whole, expected);
    assert!(framing.at_boundary());
}

#[test]
fn the_bytes_are_the_same_however_they_arrive() {
    let wire = [[0x01, 0x02].as_slice(), b"hh", &[0x00, 0x03], b"abc"].concat();
    for size in 1..=wire.len() {
        let mut framing = Framing::request(100);
        let joined = pieces(&mut framing, &wire, size).unwrap().concat();
        assert_eq!(joined, wire, "chunks of {size}");
        assert!(framing.at_boundary());
    }
}

#[test]
fn empty_data_and_unknown_frames_are_dropped() {
    // DATA(0), a reserved type 0x21 with four bytes, DATA(1), DATA(0).
    let wire = [
        [0x00, 0x00].as_slice(),
        &[0x21, 0x04],
        b"noop",
        &[0x00, 0x01],
        b"x",
        &[0x00, 0x00],
    ]
    .concat();
    for size in 1..=wire.len() {
        let mut framing = Framing::request(2);
        let joined = pieces(&mut framing, &wire, size).unwrap().concat();
        assert_eq!(joined, [0x00, 0x01, b'x'], "chunks of {size}");
        assert!(framing.at_boundary());
    }
}

#[test]
fn a_large_frame_is_refused_by_its_header_unless_it_is_data() {
    let headers = [0x01, 0x44, 0x00]; // HEADERS of 1024 bytes
    let refused = pieces(&mut Framing::request(1023), &headers, 3).unwrap_err();
    assert_eq!(
        refused,
        Refused::TooLarge {
            kind: 1,
            length: 1024
        }
    );
    pieces(&mut Framing::request(1024), &headers, 3).unwrap();
    let data = [0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    pieces(&mut Framing::request(0), &data, 3).unwrap();
}

#[test]
fn an_end_within_a_frame_is_no_end() {
    for cut in [&[0x00][..], &[0x00, 0x40], &[0x00, 0x03], &[0x00, 0x03, 1]] {
        let mut framing = Framing::request(100);
        pieces(&mut framing, cut, 1).unwrap();
        assert!(!framing.at_boundary(), "{cut:?}");
    }
}

#[test]
fn only_a_control_stream_has_frames() {
    // Type 0, then SETTINGS of no bytes, then GOAWAY of one.
    let control = [0x00, 0x04, 0x00, 0x07, 0x01, 0x00];
    let mut framing = Framing::unidirectional(16);
    let cut = pieces(&mut framing, &control, control.len()).unwrap();
    let expected: [&[u8]; 4] = [&[0], &[4, 0], &[7, 1], &[0]];
    assert_eq!(cut, expected);

    // Type 2, QPACK's encoder: whatever follows is passed on as it is.
    let encoder = [0x02, 0x01, 0xff, 0xff];
    let mut framing = Framing::unidirectional(16);
    let cut = pieces(&mut framing, &encoder, encoder.len()).unwrap();
    let expected: [&[u8]; 2] = [&[2], &[1, 0xff, 0xff]];
    assert_eq!(cut, expected);
    assert!(framing.at_boundary());
}

/// Found by `fuzz/`: h3 takes what is left of such a payload for frames, and waits for ever for what is missing.
#[test]
fn a_frame_of_one_integer_has_its_length() {
    for kind in INTEGERS {
        for payload in [&[7][..], &[0x40, 7], &[0x80, 0, 0, 7]] {
            let wire = [&[kind as u8, payload.len() as u8], payload].concat();
            for size in 1..=wire.len() {
                let mut framing = Framing::request(100);
                let joined = pieces(&mut framing, &wire, size).unwrap().concat();
                assert_eq!(joined, wire);
                assert!(framing.at_boundary());
            }
        }
        for payload in [
            &[][..],
            &[0x40],
            &[7, 0],
            &[7, 0x01, 0x80, 0xff],
            &[0xc0; 7],
        ] {
            let wire = [&[kind as u8, payload.len() as u8], payload, &[0, 1, b'x']].concat();
            for size in 1..=wire.len() {
                let refused = pieces(&mut Framing::request(100), &wire, size);
                assert_eq!(refused, Err(Refused::Malformed { kind }), "{payload:?}");
            }
        }
    }
    let mut framing = Framing::unidirectional(100);
    let promise = [0, PUSH_PROMISE as u8, 3, 7, b'a', b'b'];
    assert!(pieces(&mut framing, &promise, 1).is_ok());
    let empty = [0, PUSH_PROMISE as u8, 0];
    assert!(pieces(&mut Framing::unidirectional(100), &empty, 1).is_err());
}
