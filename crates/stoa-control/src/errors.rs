//! Every error that leaves: one table of codes, one way to build a status.

use std::{collections::HashMap, time::Duration};

use http::{HeaderMap, HeaderValue, Response, header::CONTENT_TYPE};
use stoa_api::v1::{ERROR_DOMAIN, ErrorReason};
use stoa_core::{Error as Refusal, OfferError};
use tonic::{Code, Status, body::Body};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::media::MediaError;

/// The longest message of an error, in bytes: what is quoted in it comes from callers, and it
/// travels in headers.
const MAX_MESSAGE_BYTES: usize = 1024;

/// When to come back after NODE_OVERLOADED: a mailbox empties within milliseconds, but many are
/// waiting.
const OVERLOAD_RETRY: Duration = Duration::from_millis(250);

/// The canonical code of a reason, as `errors.proto` documents it.
pub(crate) fn code(reason: ErrorReason) -> Code {
    use ErrorReason as R;
    match reason {
        R::FieldInvalid
        | R::PageTokenInvalid
        | R::SdpMalformed
        | R::SdpNoAudio
        | R::SdpNoCommonCodec
        | R::SdpTooManyAudioLines
        | R::SdpUnusable
        | R::IceCandidateMalformed
        | R::MessageMalformed => Code::InvalidArgument,
        R::CredentialMissing | R::CredentialInvalid | R::TokenInvalid => Code::Unauthenticated,
        R::SubjectBanned | R::TokenNotSufficient => Code::PermissionDenied,
        R::RoomNotFound | R::ParticipantNotFound | R::ResumeTokenInvalid | R::BanNotFound => {
            Code::NotFound
        }
        R::RoomAlreadyExists | R::ParticipantAlreadyExists | R::RequestIdReused => {
            Code::AlreadyExists
        }
        R::RoomLimitReached
        | R::ParticipantLimitReached
        | R::IceCandidateLimitReached
        | R::WatchLimitReached
        | R::MuteLimitReached
        | R::SubscriptionLimitReached
        | R::QuotaReached
        | R::RateExceeded
        | R::NodeSaturated
        | R::MessageTooLarge => Code::ResourceExhausted,
        R::SessionMismatch | R::SessionConnecting => Code::FailedPrecondition,
        R::RevisionInFuture => Code::OutOfRange,
        R::NodeDraining | R::NodeOverloaded => Code::Unavailable,
        R::DeadlinePassed => Code::DeadlineExceeded,
        R::MethodUnknown => Code::Unimplemented,
        R::Unspecified | R::InternalFault => Code::Internal,
    }
}

/// Why a call fails. It becomes a [`Status`] with the details that `errors.proto` documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub(crate) reason: ErrorReason,
    message: String,
    metadata: Vec<(&'static str, String)>,
    violations: Vec<(&'static str, String)>,
    retry_after: Option<Duration>,
}

impl Failure {
    /// The machine-readable reason.
    pub fn reason(&self) -> ErrorReason {
        self.reason
    }

    /// The canonical code of the reason.
    pub fn code(&self) -> Code {
        code(self.reason)
    }

    /// What the caller is told, in words.
    pub fn message(&self) -> &str {
        shortened(&self.message)
    }

    /// The metadata of the reason.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
    }

    /// When it makes sense to repeat the call, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            metadata: Vec::new(),
            violations: Vec::new(),
            retry_after: None,
        }
    }

    /// Adds a pair to the metadata of the `ErrorInfo`.
    pub(crate) fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.metadata.push((key, value.to_string()));
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// FIELD_INVALID for one or more fields, each with what is wrong.
    pub(crate) fn fields(violations: Vec<(&'static str, String)>) -> Self {
        let texts: Vec<_> = violations
            .iter()
            .map(|(field, why)| format!("{field} {why}"))
            .collect();
        Self {
            violations,
            ..Self::new(ErrorReason::FieldInvalid, texts.join("; "))
        }
    }

    pub(crate) fn draining() -> Self {
        Self::new(
            ErrorReason::NodeDraining,
            "the node is about to stop; use another node",
        )
    }

    pub(crate) fn deadline() -> Self {
        Self::new(
            ErrorReason::DeadlinePassed,
            "the call's deadline passed; whether it took effect is not known, repeat it with the \
             same request_id to learn that",
        )
    }

    /// Somebody has too much under way.
    pub(crate) fn overloaded(message: impl Into<String>) -> Self {
        Self::new(ErrorReason::NodeOverloaded, message).after(OVERLOAD_RETRY)
    }

    pub(crate) fn not_written() -> Self {
        Self::overloaded("the ban could not be written down; repeat the call after the given delay")
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            ErrorReason::InternalFault,
            "a fault inside the node; its log has more",
        )
    }

    /// What the media workers refused, about this room and perhaps this participant.
    pub(crate) fn refused(error: MediaError, room: &str, participant: Option<&str>) -> Self {
        let failure = match error {
            MediaError::Refused(refusal) => Self::from_refusal(&refusal, room, participant),
            MediaError::Overloaded => Self::overloaded(
                "a media worker has too much to do; repeat the call after the given delay",
            ),
            MediaError::Stopped => Self::draining(),
        };
        let failure = failure.with("room_id", room);
        match participant {
            Some(participant) => failure.with("participant_id", participant),
            None => failure,
        }
    }

    fn from_refusal(refusal: &Refusal, room: &str, participant: Option<&str>) -> Self {
        use ErrorReason as R;
        let who = participant.unwrap_or_default();
        match refusal {
            Refusal::RoomNotFound => Self::room_not_found(room),
            Refusal::RoomExists => Self::new(
                R::RoomAlreadyExists,
                format!("the room {room:?} exists already; use it, or close it first"),
            ),
            Refusal::RoomLimit { limit } => Self::new(
                R::RoomLimitReached,
                format!("the node holds {limit} rooms, the most it may; use another node"),
            )
            .with("limit", limit),
            Refusal::ParticipantNotFound => Self::new(
                R::ParticipantNotFound,
                format!("{who:?} is not in the room {room:?}; they may have left"),
            ),
            Refusal::ParticipantExists => Self::new(
                R::ParticipantAlreadyExists,
                format!("{who:?} is in the room {room:?} already; remove them first"),
            ),
            Refusal::ParticipantLimit { scope, limit } => Self::new(
                R::ParticipantLimitReached,
                format!("the limit of {limit} participants for the {scope} is reached"),
            )
            .with("scope", scope)
            .with("limit", limit),
            Refusal::SessionMismatch => Self::new(
                R::SessionMismatch,
                format!("{who:?} has joined again and has another session_id by now"),
            ),
            Refusal::SessionConnecting => Self::new(
                R::SessionConnecting,
                format!(
                    "the session of {who:?} is still being set up; wait until it is connected, or \
                     join anew"
                ),
            ),
            Refusal::InternalFault => Self::internal(),
            Refusal::Offer(offer) => Self::from_offer(offer),
            Refusal::CandidateMalformed(_) => {
                Self::new(R::IceCandidateMalformed, refusal.to_string())
            }
            Refusal::CandidateLimit => Self::new(R::IceCandidateLimitReached, refusal.to_string()),
            Refusal::MuteLimit => Self::new(R::MuteLimitReached, refusal.to_string()),
            Refusal::LobbyFull { limit } => Self::overloaded(format!(
                "{limit} participants are being connected, the most at a time; repeat the call \
                 after the given delay"
            ))
            .with("limit", limit),
            Refusal::SubscriptionLimit => {
                Self::new(R::SubscriptionLimitReached, refusal.to_string())
            }
        }
    }

    fn from_offer(error: &OfferError) -> Self {
        use ErrorReason as R;
        let reason = match error {
            OfferError::Malformed(_) => R::SdpMalformed,
            OfferError::NoAudio => R::SdpNoAudio,
            OfferError::NoCommonCodec => R::SdpNoCommonCodec,
            OfferError::TooManyAudioLines { .. } => R::SdpTooManyAudioLines,
            OfferError::Unusable(_) => R::SdpUnusable,
        };
        Self::new(reason, error.to_string())
    }

    pub(crate) fn room_not_found(room: &str) -> Self {
        Self::new(
            ErrorReason::RoomNotFound,
            format!("there is no room {room:?} on this node; create it first"),
        )
    }

    /// The answer of a call that fails before it has said anything else.
    pub(crate) fn into_http(self) -> Response<Body> {
        Status::from(self).into_http()
    }

    /// The trailers of a stream that fails after it has begun.
    pub(crate) fn into_trailers(self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        if Status::from(self).add_header(&mut trailers).is_err() {
            // A message that no header can carry; the code alone always can be.
            trailers.insert(
                Status::GRPC_STATUS,
                HeaderValue::from(Code::Internal as i32),
            );
        }
        trailers
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let metadata: HashMap<String, String> = failure
            .metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let mut details =
            ErrorDetails::with_error_info(failure.reason.as_str_name(), ERROR_DOMAIN, metadata);
        if !failure.violations.is_empty() {
            let violations = failure.violations.into_iter();
            let violations: Vec<_> = violations
                .map(|(field, why)| FieldViolation::new(field, why))
                .collect();
            details.set_bad_request(violations);
        }
        if let Some(delay) = failure.retry_after {
            details.set_retry_info(Some(delay));
        }
        Status::with_error_details(code(failure.reason), shortened(&failure.message), details)
    }
}

fn shortened(message: &str) -> &str {
    let mut end = message.len().min(MAX_MESSAGE_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

/// Gives tonic's own errors, which carry no details, a reason and the code that fits it. Our own
/// always carry details and pass unchanged, and so do those of the health and reflection services
/// that have a meaning of their own (NOT_FOUND).
pub(crate) fn complete(response: Response<Body>, message_bytes: usize) -> Response<Body> {
    let headers = response.headers();
    if headers.contains_key(Status::GRPC_STATUS_DETAILS) {
        return response;
    }
    let Some(status) = Status::from_header_map(headers) else {
        return http_only(response);
    };
    let failure = match status.code() {
        Code::Unimplemented => Failure::new(
            ErrorReason::MethodUnknown,
            "the node has no such method, or does not know the message encoding; ask it by \
             reflection what it has",
        ),
        // tonic's answer to a message that is longer than the limit.
        Code::OutOfRange => Failure::new(
            ErrorReason::MessageTooLarge,
            format!("the request message has more than {message_bytes} bytes"),
        )
        .with("limit", message_bytes),
        // tonic's answer to a message that it cannot read; our own faults carry details.
        Code::Internal => Failure::new(
            ErrorReason::MessageMalformed,
            format!(
                "the request is not one complete message: {}",
                status.message()
            ),
        ),
        _ => return response,
    };
    failure.into_http()
}

/// An answer without gRPC's status, as the router gives for what is not gRPC at all.
fn http_only(response: Response<Body>) -> Response<Body> {
    let is_grpc = |value: &HeaderValue| value.as_bytes().starts_with(b"application/grpc");
    if response.headers().get(CONTENT_TYPE).is_some_and(is_grpc) {
        return response;
    }
    Failure::new(ErrorReason::MethodUnknown, "this is not a gRPC method").into_http()
}

#[cfg(test)]
mod tests;
