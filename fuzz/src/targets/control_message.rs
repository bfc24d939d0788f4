//! A request of the control API, as protobuf: the first byte says which. Or a page token.
//!
//! What is decoded is written and read again as the same; it is taken or refused, and a refusal names a reason and
//! fits into the headers in which it travels.

use std::time::{Duration, SystemTime};

use prost::Message;
use stoa_api::v1;
use stoa_control::fuzz::{Request, page_token, page_token_of, status};

use crate::input::Input;

/// What the details of a status may have: they travel in a header, in base64, and common servers and clients take
/// 8 KiB of all headers.
const MOST_DETAILS: usize = 4_096;

/// The longest message of a status, in bytes.
const MOST_MESSAGE: usize = 1_024;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let kind = input.byte() % 11;
    let bytes = input.rest();
    if kind == 10 {
        return token(bytes);
    }
    let Some(request) = decode(kind, bytes) else {
        return;
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    if let Err(failure) = request.check(now, Duration::from_secs(600)) {
        assert!(failure.message().len() <= MOST_MESSAGE);
        let status = status(failure);
        assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status:?}");
        assert!(!status.details().is_empty(), "{status:?}");
        let details = status.details().len();
        assert!(details <= MOST_DETAILS, "{details} bytes of details");
    }
}

fn decode(kind: u8, bytes: &[u8]) -> Option<Request> {
    Some(match kind {
        0 => Request::CreateRoom(read(bytes)?),
        1 => Request::Join(read(bytes)?),
        2 => Request::Renegotiate(read(bytes)?),
        3 => Request::AddIceCandidate(read(bytes)?),
        4 => Request::SetRole(read(bytes)?),
        5 => Request::SetMuted(read(bytes)?),
        6 => Request::UpdateParticipant(read(bytes)?),
        7 => Request::UpdateSubscriptions(read(bytes)?),
        8 => Request::RemoveParticipant(read(bytes)?),
        _ => Request::CreateBan(read::<v1::CreateBanRequest>(bytes)?),
    })
}

/// The message, which is the same when it is written and read again.
fn read<M: Message + Default + PartialEq>(bytes: &[u8]) -> Option<M> {
    let message = M::decode(bytes).ok()?;
    let again = M::decode(&*message.encode_to_vec()).expect("what was written can be read");
    assert!(again == message, "another message");
    Some(message)
}

fn token(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Some(inside) = page_token(text) {
        assert_eq!(page_token_of(&inside), text, "another form of a token");
    }
    if text.len() <= 257 {
        assert_eq!(page_token(&page_token_of(text)).as_deref(), Some(text));
    }
}
