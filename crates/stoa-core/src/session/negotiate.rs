//! From an SDP offer to a session and its final answer (RFC 8829, RFC 9143).

mod ssrcs;

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Instant};

use rand::Rng;
use str0m::{
    Candidate, IceCreds, Rtc, RtcConfig,
    change::SdpOffer,
    config::{CryptoProvider, DtlsCert},
    format::Codec,
    media::{Mid, Pt},
    rtp::{Extension, ExtensionMap},
};

use self::ssrcs::Announced;
use super::{
    answer,
    keys::{self, PendingKeys},
};
use crate::{
    egress::{EgressPath, NegotiatedLine},
    error::OfferError,
    limits::{MAX_OFFER_BYTES, QUALITY_INTERVAL},
    settings::AudioMode,
};

/// What every session of a node has in common.
pub(crate) struct SessionTemplate {
    pub(crate) crypto: Arc<CryptoProvider>,
    pub(crate) certificate: DtlsCert,
    /// The addresses at which clients reach this node.
    pub(crate) candidates: Vec<SocketAddr>,
    pub(crate) egress: EgressPath,
}

/// What became of an offer.
pub(crate) struct Negotiated {
    pub(crate) rtc: Rtc,
    /// Where its SRTP keys will arrive.
    pub(crate) keys: PendingKeys,
    /// Our side's ICE credentials.
    pub(crate) credentials: IceCreds,
    pub(crate) answer: String,
    /// How many audio lines the offer has.
    pub(crate) offered: usize,
    /// The line on which the client sends, if it does.
    pub(crate) microphone: Option<Microphone>,
    /// The lines on which the client listens, in the order of its offer.
    pub(crate) lines: Vec<NegotiatedLine>,
}

/// The line on which a client sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Microphone {
    pub(crate) mid: Mid,
    pub(crate) formats: Formats,
}

/// The payload types that a client has for its audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Formats {
    pub(crate) opus: Pt,
    /// Opus with redundancy (RFC 2198), where the client speaks it.
    pub(crate) red: Option<Pt>,
}

/// Answers an offer to a room that has `slots` audio slots, of a client whose microphone is to carry
/// what the mode says.
///
/// # Errors
/// [`OfferError`]; nothing is kept of the attempt.
pub(crate) fn negotiate(
    template: &SessionTemplate,
    now: Instant,
    rng: &mut impl Rng,
    text: &str,
    slots: usize,
    mode: AudioMode,
) -> Result<Negotiated, OfferError> {
    let (offer, offered) = parse(text, slots)?;
    let credentials = IceCreds {
        ufrag: ice_text(rng, 16),
        pass: ice_text(rng, 24),
    };
    let (mut rtc, keys) = template.build(now, credentials.clone())?;
    let answer = rtc
        .sdp_api()
        .accept_offer(offer)
        .map_err(|error| OfferError::Unusable(error.to_string()))?;
    let mids: Vec<Mid> = answer.media_lines.iter().map(|line| line.mid()).collect();
    let mut answer = answer.to_sdp_string();
    // No SSRC of this session may be another's: neither one of the client's, nor one of str0m's.
    let mut taken = ssrcs::announced(text);
    taken.extend(ssrcs::announced(&answer));
    let mut microphone = None;
    let mut lines = Vec::with_capacity(mids.len());
    let mut has_opus = false;
    for mid in mids {
        let Some(formats) = formats(&rtc, mid) else {
            continue;
        };
        let Some(media) = rtc.media(mid) else {
            continue;
        };
        has_opus = true;
        if media.direction().is_receiving() && microphone.is_none() {
            microphone = Some(Microphone { mid, formats });
        }
        if media.direction().is_sending() {
            let level_id = media.remote_extmap().id_of(Extension::AudioLevel);
            let announced = match template.egress {
                EgressPath::Direct => take_over(&mut rtc, mid, rng, &mut taken, &mut answer)?,
                EgressPath::Reference => Announced::default(),
            };
            lines.push(NegotiatedLine {
                mid,
                formats,
                level_id,
                ssrc: announced.ssrc,
                cname: announced.cname,
                // RFC 3550 wants a random start; RFC 3711 wants it low enough not to roll over soon.
                seq: rng.random_range(0..1 << 15),
                time: rng.random(),
            });
        }
    }
    if !has_opus {
        return Err(OfferError::NoCommonCodec);
    }
    if microphone.is_none() && lines.is_empty() {
        let reason = "every audio line with opus/48000/2 is inactive";
        return Err(OfferError::Unusable(reason.to_owned()));
    }
    let answer = answer::complete(&answer, text, mode);
    Ok(Negotiated {
        rtc,
        keys,
        credentials,
        answer,
        offered,
        microphone,
        lines,
    })
}

/// Takes a sending line away from str0m: the answer announces another SSRC, under which the direct path
/// will send.
fn take_over(
    rtc: &mut Rtc,
    mid: Mid,
    rng: &mut impl Rng,
    taken: &mut BTreeSet<u32>,
    answer: &mut String,
) -> Result<Announced, OfferError> {
    let mut api = rtc.direct_api();
    let stream = api.stream_tx_by_mid(mid, None).map(|stream| stream.ssrc());
    let announced = stream.and_then(|old| {
        api.remove_stream_tx(old);
        ssrcs::replace(answer, *old, ssrcs::choose(rng, taken))
    });
    announced.ok_or_else(|| OfferError::Unusable(format!("line {mid} got no SSRC to send with")))
}

/// The offer, and how many audio lines it has.
fn parse(text: &str, slots: usize) -> Result<(SdpOffer, usize), OfferError> {
    if text.len() > MAX_OFFER_BYTES {
        let reason = format!(
            "it has {} bytes; at most {MAX_OFFER_BYTES} are read",
            text.len()
        );
        return Err(OfferError::Malformed(reason));
    }
    let offer = SdpOffer::from_sdp_string(text)
        .map_err(|error| OfferError::Malformed(error.to_string()))?;
    let mut audio = 0;
    let mut has_opus = false;
    let mut other = None;
    for (number, line) in (1_usize..).zip(&offer.media_lines) {
        if line.disabled {
            continue;
        }
        let kind = line.typ.to_string();
        if kind != "audio" {
            other = other.or(Some((number, kind)));
            continue;
        }
        audio += 1;
        has_opus |= line
            .rtp_params()
            .iter()
            .any(|params| params.spec().codec == Codec::Opus);
    }
    if audio == 0 {
        return Err(OfferError::NoAudio);
    }
    if let Some((number, kind)) = other {
        return Err(OfferError::Unusable(format!(
            "media line {number} is {kind}; a voice room carries audio only"
        )));
    }
    if audio > slots {
        let offered = audio;
        return Err(OfferError::TooManyAudioLines { offered, slots });
    }
    if !has_opus {
        return Err(OfferError::NoCommonCodec);
    }
    Ok((offer, audio))
}

impl SessionTemplate {
    fn build(&self, now: Instant, credentials: IceCreds) -> Result<(Rtc, PendingKeys), OfferError> {
        let mut extensions = ExtensionMap::empty();
        extensions.set(1, Extension::AudioLevel);
        extensions.set(4, Extension::RtpMid);
        let config = RtcConfig::new()
            .set_crypto_provider(Arc::clone(&self.crypto))
            .set_dtls_cert(self.certificate.clone())
            .set_local_ice_credentials(credentials)
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_stats_interval(Some(QUALITY_INTERVAL))
            .set_extension_map(extensions)
            .clear_codecs()
            .enable_opus(true, true);
        let (mut rtc, keys) = keys::build(config, now);
        for &address in &self.candidates {
            let candidate = Candidate::host(address, "udp")
                .map_err(|error| OfferError::Unusable(error.to_string()))?;
            rtc.add_local_candidate(candidate);
        }
        Ok((rtc, keys))
    }
}

/// The payload types of a line, if the client has Opus there.
fn formats(rtc: &Rtc, mid: Mid) -> Option<Formats> {
    let offered = rtc.media(mid)?.remote_pts();
    let find = |pt: Pt| {
        let mut params = rtc.codec_config().params().iter();
        params.find(|params| params.pt() == pt && params.spec().codec == Codec::Opus)
    };
    let params = offered.iter().copied().find_map(find)?;
    Some(Formats {
        opus: params.pt(),
        red: params.red(),
    })
}

/// Random text of ICE characters (RFC 8839, section 5.4): 6 bits for each character.
fn ice_text(rng: &mut impl Rng, length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..length)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}
