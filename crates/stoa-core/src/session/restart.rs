//! A second offer on a session: ICE begins anew, and all else stays (RFC 8445, section 9; RFC 8839, section
//! 4.4).

use std::time::Instant;

use rand::Rng;
use str0m::{IceCreds, rtp::Extension};

use super::{
    Session,
    answer::{self, Sending},
    negotiate::{Negotiated, SessionTemplate, negotiate, parse, shown},
};
use crate::{error::OfferError, limits::MAX_AUDIO_SLOTS, settings::AudioMode};

/// What became of a second offer.
pub(crate) struct Restarted {
    pub(crate) answer: String,
    /// Our side's new ICE credentials. Nothing where the offer has the ones that the session knows: it is
    /// answered as before.
    pub(crate) credentials: Option<IceCreds>,
}

impl Session {
    /// Answers another offer of the same client.
    ///
    /// It is answered as a first offer before the session sees it. That is most of the work, a few hundred
    /// microseconds; but str0m has begun anew before it refuses an offer, and would not say that a line has
    /// changed. So whatever is refused has changed nothing.
    ///
    /// # Errors
    /// [`OfferError`], also where anything but ICE is another than it was.
    pub(crate) fn restart(
        &mut self,
        template: &SessionTemplate,
        now: Instant,
        rng: &mut impl Rng,
        text: &str,
        mode: AudioMode,
    ) -> Result<Restarted, OfferError> {
        let expected = negotiate(template, now, rng, text, MAX_AUDIO_SLOTS, mode)?;
        let (offer, _) = parse(text, MAX_AUDIO_SLOTS, template.egress)?;
        if let Some(what) = self.difference(&expected) {
            return Err(OfferError::Unusable(format!(
                "{what} another than in the session's first offer"
            )));
        }
        let lines = offer.media_lines.iter();
        let fingerprint = offer.session.fingerprint();
        let fingerprint = fingerprint.or_else(|| lines.clone().find_map(|line| line.fingerprint()));
        if self.rtc.direct_api().remote_dtls_fingerprint() != fingerprint.as_ref() {
            let reason = "its DTLS certificate is another than the session's";
            return Err(OfferError::Unusable(reason.to_owned()));
        }
        let directions: Vec<_> = lines.map(|line| (line.mid(), line.direction())).collect();
        let before = self.rtc.direct_api().local_ice_credentials();
        let accepted = self
            .rtc
            .sdp_api()
            .accept_offer(shown(&offer, template.egress));
        let made = self.rtc.direct_api().local_ice_credentials();
        let credentials = (made != before).then_some(expected.credentials);
        let present = credentials.clone().unwrap_or(before);
        // str0m has drawn some of its own, by chance and not by the seed.
        let mut api = self.rtc.direct_api();
        api.set_local_ice_credentials(present.clone());
        // Not to be expected after what was looked at before.
        let answer = accepted.map_err(|error| OfferError::Unusable(error.to_string()))?;
        let mut sending = Vec::with_capacity(self.lines.len());
        for line in self.lines.iter().filter(|line| line.ssrc != 0) {
            let direction = directions.iter().find(|(mid, _)| *mid == line.mid);
            if let (Some((_, theirs)), Some(media)) = (direction, self.rtc.media(line.mid)) {
                sending.push(Sending {
                    mid: line.mid,
                    direction: theirs.invert(),
                    ssrc: line.ssrc,
                    cname: &line.cname,
                    stream: media.stream_id(),
                    track: media.track_id(),
                });
            }
        }
        let answer = answer::with_credentials(&answer.to_sdp_string(), &present);
        Ok(Restarted {
            answer: answer::complete(&answer, text, mode, &sending),
            credentials,
        })
    }

    /// What of the lines is another by this offer, if anything is.
    fn difference(&self, expected: &Negotiated) -> Option<&'static str> {
        if expected.mids != self.mids {
            return Some("the media lines, their order, or which of them are in use, are");
        }
        let microphone = |microphone: &super::Microphone| (microphone.mid, microphone.formats);
        let ours = self.microphone.as_ref().map(microphone);
        if expected.microphone.as_ref().map(microphone) != ours {
            return Some("the line or the format on which the client sends is");
        }
        let lines = |lines: &[crate::egress::NegotiatedLine]| -> Vec<_> {
            let each = lines.iter();
            each.map(|line| (line.mid, line.formats, line.level_id))
                .collect()
        };
        if lines(&expected.lines) != lines(&self.lines) {
            return Some("a line or a format on which the client listens is");
        }
        let extensions = |rtc: &str0m::Rtc| {
            let media = self.microphone.and_then(|line| rtc.media(line.mid));
            media.map(|media| {
                let known = media.remote_extmap();
                [Extension::AudioLevel, Extension::RtpMid].map(|extension| known.id_of(extension))
            })
        };
        (extensions(&expected.rtc) != extensions(&self.rtc))
            .then_some("the number of a header extension is")
    }
}
