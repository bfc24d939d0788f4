//! A STUN message of somebody who has a valid credential: type and attributes are the input's, name and integrity
//! are right.
//!
//! What is answered goes to whoever asked and is no longer than the question; a request that is no check changes
//! nothing.

use stoa_core::Endpoint;

use crate::{
    input::Input,
    scene::{self, Scene},
};

/// RFC 8489, sections 14.3 and 14.5.
const USERNAME: u16 = 6;
const MESSAGE_INTEGRITY: u16 = 8;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let (from, kind) = (input.byte(), input.byte());
    scene::with(|scene| {
        let from: Endpoint = match from % 3 {
            0 => scene.liar.address.into(),
            1 => scene::stranger().into(),
            _ => scene::stranger_v6().into(),
        };
        let question = message(scene, kind, input.rest());
        let sent = scene.inject(from, &question);
        for transmit in &sent {
            assert_eq!(transmit.destination, from, "the wrong one is answered");
        }
        let bytes: usize = sent.iter().map(|transmit| transmit.contents.len()).sum();
        assert!(
            bytes <= question.len(),
            "{bytes} bytes for {}",
            question.len()
        );
        scene.others_hear_each_other();
    });
}

/// A message whose first byte of type is 0, as only requests and indications of methods that there are have it.
fn message(scene: &mut Scene, kind: u8, attributes: &[u8]) -> Vec<u8> {
    let (user, password) = scene.liar.credential();
    let mut message = vec![0, kind, 0, 0];
    message.extend(MAGIC_COOKIE);
    message.extend(*b"transaction!");
    add(&mut message, USERNAME, user.as_bytes());
    message.extend(&attributes[..attributes.len() / 4 * 4]);
    // The integrity is over a length that includes it (RFC 8489, section 14.5).
    set_length(&mut message, 24);
    let crypto = str0m::crypto::from_feature_flags();
    let hmac = crypto.sha1_hmac_provider;
    let integrity = hmac.sha1_hmac(password.as_bytes(), &[&message]);
    add(&mut message, MESSAGE_INTEGRITY, &integrity);
    message
}

fn add(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend((value.len() as u16).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    set_length(message, 0);
}

fn set_length(message: &mut [u8], more: usize) {
    let length = (message.len() - 20 + more) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}
