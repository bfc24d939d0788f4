//! How messages show themselves that have an SDP, a candidate or a token in them: without it.

use std::fmt;

use stoa_redact::Hidden;

use crate::v1::{
    AddIceCandidateRequest, JoinRequest, JoinResponse, RenegotiateRequest, RenegotiateResponse,
};

impl fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinRequest")
            .field("room_id", &self.room_id)
            .field("participant_id", &self.participant_id)
            .field("role", &self.role())
            .field("sdp_offer", &Hidden(&self.sdp_offer))
            .field("resume_token", &Hidden(&self.resume_token))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for JoinResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinResponse")
            .field("sdp_answer", &Hidden(&self.sdp_answer))
            .field("participant", &self.participant)
            .field("room_revision", &self.room_revision)
            .field("resume_token", &Hidden(&self.resume_token))
            .finish()
    }
}

impl fmt::Debug for RenegotiateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenegotiateRequest")
            .field("room_id", &self.room_id)
            .field("participant_id", &self.participant_id)
            .field("session_id", &self.session_id)
            .field("sdp_offer", &Hidden(&self.sdp_offer))
            .finish()
    }
}

impl fmt::Debug for RenegotiateResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenegotiateResponse")
            .field("sdp_answer", &Hidden(&self.sdp_answer))
            .finish()
    }
}

impl fmt::Debug for AddIceCandidateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddIceCandidateRequest")
            .field("room_id", &self.room_id)
            .field("participant_id", &self.participant_id)
            .field("session_id", &self.session_id)
            .field("candidate", &Hidden(&self.candidate))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_carries_is_not_shown() {
        const SECRET: &str = "a=ice-pwd:s3cret";
        let secret = || SECRET.to_owned();
        let shown = [
            format!(
                "{:?}",
                JoinRequest {
                    room_id: "hall".to_owned(),
                    sdp_offer: secret(),
                    resume_token: secret(),
                    ..JoinRequest::default()
                }
            ),
            format!(
                "{:?}",
                JoinResponse {
                    sdp_answer: secret(),
                    resume_token: secret(),
                    ..JoinResponse::default()
                }
            ),
            format!(
                "{:?}",
                RenegotiateRequest {
                    sdp_offer: secret(),
                    ..RenegotiateRequest::default()
                }
            ),
            format!(
                "{:?}",
                RenegotiateResponse {
                    sdp_answer: secret()
                }
            ),
            format!(
                "{:?}",
                AddIceCandidateRequest {
                    candidate: secret(),
                    ..AddIceCandidateRequest::default()
                }
            ),
        ];
        for text in shown {
            assert!(
                !text.contains("s3cret") && text.contains("(hidden, "),
                "{text}"
            );
        }
    }
}
