//! Datagrams by the byte.

use proptest::prelude::*;

use super::*;

fn record(kind: u8, epoch: u8, fragment: &[u8]) -> Vec<u8> {
    let [high, low] = (fragment.len() as u16).to_be_bytes();
    let header = [kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 7, high, low];
    [&header[..], fragment].concat()
}

/// A piece of a handshake message that has `length` bytes as a whole.
fn message(kind: u8, length: usize, offset: usize, body: &[u8]) -> Vec<u8> {
    let word = |number: usize| (number as u32).to_be_bytes();
    [
        &[kind][..],
        &word(length)[1..],
        &[0, 1],
        &word(offset)[1..],
        &word(body.len())[1..],
        body,
    ]
    .concat()
}

/// What a list with one certificate begins with.
fn list(certificate: usize) -> Vec<u8> {
    let word = |number: usize| (number as u32).to_be_bytes();
    [&word(certificate + 3)[1..], &word(certificate)[1..]].concat()
}

fn is_refused(datagram: &[u8]) -> bool {
    matches!(admitted(datagram), Err(Error::CertificateError(_)))
}

#[test]
fn what_stands_before_application_data_is_handed_on() {
    let (hello, data) = (record(22, 0, &[1; 40]), record(23, 1, b"data"));
    let finished = record(22, 1, &[0xb; 60]);
    for (datagram, expected) in [
        (vec![], vec![]),
        (hello.clone(), hello.clone()),
        (data.clone(), vec![]),
        (
            [&hello[..], &finished].concat(),
            [&hello[..], &finished].concat(),
        ),
        ([&finished[..], &data, &hello].concat(), finished.clone()),
        // Cut off: dimpl refuses it.
        (hello[..20].to_vec(), hello[..20].to_vec()),
        (
            [&hello[..], &data[..3]].concat(),
            [&hello[..], &data[..3]].concat(),
        ),
    ] {
        assert_eq!(admitted(&datagram), Ok(&expected[..]));
    }
}

#[test]
fn a_long_certificate_is_refused_wherever_it_begins() {
    let most = MAX_CERTIFICATE_BYTES;
    let certificate =
        |bytes: usize| message(11, bytes + 6, 0, &[&list(bytes)[..], &[0; 50]].concat());
    let exchange = message(16, 66, 0, &[4; 66]);
    assert!(!is_refused(&record(22, 0, &certificate(most))));
    assert!(is_refused(&record(22, 0, &certificate(most + 1))));
    let second = [&exchange[..], &certificate(most + 1)].concat();
    assert!(is_refused(&record(22, 0, &second)));
    let third = [
        record(20, 0, &[1]),
        record(22, 0, &exchange),
        record(22, 0, &second),
    ]
    .concat();
    assert!(is_refused(&third));
    // A list that is long, and a first certificate that is not.
    let chain = [&list(300)[..], &[0; 50]].concat();
    assert!(!is_refused(&record(22, 0, &message(11, 6_000, 0, &chain))));
    // What is encrypted is no certificate, whatever its bytes are.
    assert!(!is_refused(&record(22, 1, &certificate(most + 1))));
}

#[test]
fn the_length_of_a_certificate_comes_in_one_piece() {
    let long = list(MAX_CERTIFICATE_BYTES + 1);
    for piece in 0..6 {
        let first = message(11, 2_007, 0, &long[..piece]);
        assert!(is_refused(&record(22, 0, &first)), "{piece}");
    }
    // Nobody has a certificate to show, and says so.
    assert!(!is_refused(&record(22, 0, &message(11, 3, 0, &[0; 3]))));
    // The rest of one that was looked at.
    assert!(!is_refused(&record(
        22,
        0,
        &message(11, 1_500, 1_000, &[9; 500])
    )));
}

proptest! {
    /// Nothing panics, and what is handed on is what the datagram begins with.
    #[test]
    fn anything_is_handed_on_from_its_beginning(datagram: Vec<u8>, kinds in proptest::collection::vec(20_u8..24, 0..4)) {
        let mut records: Vec<u8> = kinds.iter().flat_map(|&kind| record(kind, 0, &datagram)).collect();
        records.extend(&datagram);
        if let Ok(admitted) = admitted(&records) {
            prop_assert!(records.starts_with(admitted));
            let first = kinds.iter().position(|&kind| kind == 23);
            if let Some(first) = first {
                prop_assert_eq!(admitted.len(), first * (13 + datagram.len()));
            }
        }
    }
}
