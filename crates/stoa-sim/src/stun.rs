//! STUN messages that no client here would send.

use str0m::ice::{StunMessage, TransId};

use crate::Client;

/// The value of an attribute in a client's answer. `name` is all that stands before it, as `a=ice-pwd:`.
///
/// # Panics
/// If the answer has no such attribute.
pub fn attribute<'a>(client: &'a Client, name: &str) -> &'a str {
    let mut lines = client.answer.lines();
    let found = lines.find_map(|line| line.strip_prefix(name));
    found.expect("the answer has the attribute")
}

/// The message as bytes, with its integrity by this password (RFC 8489, section 14.5) or without any.
///
/// # Panics
/// If it has more than 500 bytes.
pub fn encode(message: StunMessage<'_>, password: Option<&str>) -> Vec<u8> {
    let crypto = str0m::crypto::from_feature_flags();
    let mut bytes = vec![0; 500];
    let length = message
        .to_bytes(password.map(str::as_bytes), &mut bytes, |key, parts| {
            crypto.sha1_hmac_provider.sha1_hmac(key, parts)
        })
        .expect("a short message");
    bytes.truncate(length);
    bytes
}

/// An ICE check as a client sends it.
pub fn check(user: &str, password: &str, nominates: bool) -> Vec<u8> {
    let message =
        StunMessage::binding_request(user, TransId::new(), true, 1, 1_853_817_087, nominates);
    encode(message, Some(password))
}

/// A valid check of a client, wherever it is sent from.
pub fn check_of(client: &mut Client, nominates: bool) -> Vec<u8> {
    let theirs = client.rtc.direct_api().local_ice_credentials().ufrag;
    let user = format!("{}:{theirs}", attribute(client, "a=ice-ufrag:"));
    check(&user, attribute(client, "a=ice-pwd:"), nominates)
}
