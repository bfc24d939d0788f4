//! What `fuzz/` needs beyond the crate's interface: what of a request is read, without a server. No part of the
//! interface; why it has no feature of its own stands in `stoa-core/src/fuzz.rs`.

use http::HeaderMap;

use crate::{fragment, message, offer, route, session};

/// What a fragment of SDP tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// User name fragment and password.
    pub credentials: Option<(&'a str, &'a str)>,
    /// The values of the `candidate` attributes.
    pub candidates: Vec<&'a str>,
    /// Whether there will be no more.
    pub ends: bool,
}

/// Reads a fragment.
///
/// # Errors
/// What the client is told.
pub fn fragment(text: &str) -> Result<Fragment<'_>, &'static str> {
    let fragment = fragment::parse(text)?;
    Ok(Fragment {
        credentials: fragment.credentials,
        candidates: fragment.candidates,
        ends: fragment.ends,
    })
}

/// The fragment that answers an ICE restart, of an answer in SDP.
pub fn fragment_of_answer(answer: &str) -> Option<String> {
    fragment::of_answer(answer)
}

/// Whether an offer sends, and whether it receives.
pub fn ways(offer: &str) -> (bool, bool) {
    let ways = offer::ways(offer);
    (ways.sends, ways.receives)
}

/// The offer with other credentials and without candidates.
pub fn restarted(offer: &str, user: &str, password: &str) -> String {
    offer::restarted(offer, user, password)
}

/// The value of the first attribute of this name.
pub fn attribute<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    offer::attribute(sdp, name)
}

/// Whether a path names something that there is.
pub fn is_resource(path: &str) -> bool {
    route::resource(path).is_some()
}

/// The token of the head of a request.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    message::token(headers).ok()
}

/// Whether the condition of a request is met by this entity tag. Nothing where there is none that can be read.
pub fn condition(headers: &HeaderMap, tag: &str) -> Option<bool> {
    let condition = session::condition(headers).ok()?;
    Some(condition.is_met(tag))
}
