//! From an SDP offer to a session and its final answer (RFC 8829, RFC 9143).

mod ssrcs;

use std::{collections::BTreeSet, iter, net::SocketAddr, sync::Arc, time::Instant};

use rand::Rng;
use str0m::{
    Candidate, IceCreds, Rtc, RtcConfig,
    change::SdpOffer,
    config::{CryptoProvider, DtlsCert},
    format::{Codec, PayloadParams},
    media::{Direction, Media, Mid},
    net::TcpType,
    rtp::{Extension, ExtensionMap},
};

use super::{
    answer::{self, Sending},
    keys::{self, PendingKeys},
};
use crate::{
    contain::meet_planted_fault_in_offer,
    egress::{EgressPath, Formats, NegotiatedLine},
    error::OfferError,
    limits::{MAX_OFFER_BYTES, MAX_OFFER_LINES, QUALITY_INTERVAL},
    settings::AudioMode,
};

/// What every session of a node has in common.
pub(crate) struct SessionTemplate {
    pub(crate) crypto: Arc<CryptoProvider>,
    pub(crate) certificate: DtlsCert,
    /// The addresses at which clients reach this node.
    pub(crate) candidates: Vec<SocketAddr>,
    /// Whether they may come by TCP to the same ones.
    pub(crate) tcp: bool,
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
    /// All its media lines in order; nothing stands for one that is refused.
    pub(crate) mids: Box<[Option<Mid>]>,
    /// The line on which the client sends, if it does.
    pub(crate) microphone: Option<Microphone>,
    /// What it has announced to send under there, and the session has not been told.
    pub(crate) announced: Box<[u32]>,
    /// The lines on which the client listens, in the order of its offer.
    pub(crate) lines: Vec<NegotiatedLine>,
}

/// The line on which a client sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Microphone {
    pub(crate) mid: Mid,
    pub(crate) formats: Formats,
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
    let (offer, offered) = parse(text, slots, template.egress)?;
    let credentials = IceCreds {
        ufrag: ice_text(rng, 16),
        pass: ice_text(rng, 24),
    };
    let (mut rtc, keys) = template.build(now, credentials.clone())?;
    let answer = rtc
        .sdp_api()
        .accept_offer(shown(&offer, template.egress))
        .map_err(|error| OfferError::Unusable(error.to_string()))?;
    let mut taken = ssrcs::announced(text);
    let mut microphone = None;
    let mut announced = BTreeSet::new();
    let mut lines = Vec::with_capacity(offered);
    let mut sending = Vec::with_capacity(offered);
    let mut has_opus = false;
    for (index, line) in offer.media_lines.iter().enumerate() {
        let mid = line.mid();
        let Some(media) = rtc.media(mid).filter(|media| !media.disabled()) else {
            continue;
        };
        let Some(formats) = formats(&rtc, &line.rtp_params()) else {
            continue;
        };
        has_opus = true;
        let direction = line.direction().invert();
        if direction.is_receiving() && microphone.is_none() {
            microphone = Some(Microphone { mid, formats });
            if template.egress == EgressPath::Direct {
                announced = ssrcs::announced_on(text, index);
            }
        }
        if direction.is_sending() {
            let mut ssrc = 0;
            if template.egress == EgressPath::Direct {
                ssrc = ssrcs::choose(rng, &mut taken);
                sending.push(Sending {
                    mid,
                    direction,
                    ssrc,
                    cname: media.cname(),
                    stream: media.stream_id(),
                    track: media.track_id(),
                });
            }
            lines.push(negotiated_line(media, formats, ssrc, rng));
        }
    }
    if !has_opus {
        return Err(OfferError::NoCommonCodec);
    }
    if microphone.is_none() && lines.is_empty() {
        let reason = "every audio line with opus/48000/2 is inactive";
        return Err(OfferError::Unusable(reason.to_owned()));
    }
    let answer = answer::complete(&answer.to_sdp_string(), text, mode, &sending);
    let mids = offer.media_lines.iter().map(|line| {
        let media = rtc.media(line.mid()).filter(|media| !media.disabled());
        media.map(|media| media.mid())
    });
    Ok(Negotiated {
        mids: mids.collect(),
        rtc,
        keys,
        credentials,
        answer,
        offered,
        microphone,
        announced: announced.into_iter().collect(),
        lines,
    })
}

fn negotiated_line(
    media: &Media,
    formats: Formats,
    ssrc: u32,
    rng: &mut impl Rng,
) -> NegotiatedLine {
    NegotiatedLine {
        mid: media.mid(),
        formats,
        level_id: media.remote_extmap().id_of(Extension::AudioLevel),
        ssrc,
        cname: media.cname().to_owned(),
        // RFC 3550 wants a random start; RFC 3711 wants it low enough not to roll over soon.
        seq: rng.random_range(0..1 << 15),
        time: rng.random(),
    }
}

/// The offer as the session sees it.
pub(super) fn shown(offer: &SdpOffer, egress: EgressPath) -> SdpOffer {
    match egress {
        EgressPath::Direct => without_sending(offer),
        EgressPath::Reference => SdpOffer::from((**offer).clone()),
    }
}

/// The offer as the session sees it on the direct path: nobody asks it to send. A session that does has a
/// stream of 1.8 KiB for each line, in a table that begins with four, and an SSRC that is not to be used.
/// The direct path sends instead, and the answer says so ([`answer::complete`]).
///
/// str0m takes formats and extensions as the client numbers them here, too. Where it only receives, it may
/// use a number of its own for a format if two lines differ; [`formats`] looks at the client's.
fn without_sending(offer: &SdpOffer) -> SdpOffer {
    let mut shown = (**offer).clone();
    for line in &mut shown.media_lines {
        match line.direction() {
            Direction::SendRecv => line.set_direction(Direction::SendOnly),
            Direction::RecvOnly => line.set_direction(Direction::Inactive),
            Direction::SendOnly | Direction::Inactive => {}
        }
    }
    shown.into()
}

/// The lines that share their transport (RFC 9143, section 5), by their identification tags.
fn bundled(text: &str) -> BTreeSet<&str> {
    let groups = text.lines();
    let groups = groups.filter_map(|line| line.strip_prefix("a=group:BUNDLE "));
    groups.flat_map(str::split_ascii_whitespace).collect()
}

/// Whether all media lines of the text were read: str0m's parser stops at what it does not understand and says nothing
/// of the rest, and an answer has as many media lines as its offer (RFC 3264, section 6).
fn meets_all_lines(text: &str, offer: &SdpOffer) -> Result<(), OfferError> {
    let lines = text.lines().filter(|line| line.starts_with("m=")).count();
    let read = offer.media_lines.len();
    if read == lines {
        return Ok(());
    }
    let reason = format!("of its {lines} media lines only {read} can be read");
    Err(OfferError::Malformed(reason))
}

/// Whether str0m's parser will be through it soon. It looks for the end of an extension's number beyond the end of the
/// line, so where there is none it reads the rest of the offer, for each such line anew: 64 KiB of them cost 1.2 s
/// (docs/upstream/str0m-extmap-across-lines.md).
fn is_read_at_once(text: &str) -> Result<(), OfferError> {
    let lines = text.lines().count();
    if lines > MAX_OFFER_LINES {
        let reason = format!("it has {lines} lines; at most {MAX_OFFER_LINES} are read");
        return Err(OfferError::Malformed(reason));
    }
    let mut extensions = text
        .lines()
        .filter_map(|line| line.strip_prefix("a=extmap:"));
    match extensions.all(|extension| extension.contains([' ', '/'])) {
        true => Ok(()),
        false => Err(OfferError::Malformed(
            "a header extension has no name".to_owned(),
        )),
    }
}

/// The offer, and how many audio lines it has. On the direct path it is without SSRCs, of which the session
/// is told when it needs to know ([`super::Session::expect`]).
pub(super) fn parse(
    text: &str,
    slots: usize,
    egress: EgressPath,
) -> Result<(SdpOffer, usize), OfferError> {
    meet_planted_fault_in_offer(text);
    if text.len() > MAX_OFFER_BYTES {
        let reason = format!(
            "it has {} bytes; at most {MAX_OFFER_BYTES} are read",
            text.len()
        );
        return Err(OfferError::Malformed(reason));
    }
    is_read_at_once(text)?;
    let offer = match egress {
        EgressPath::Direct => SdpOffer::from_sdp_string(&ssrcs::without(text)),
        EgressPath::Reference => SdpOffer::from_sdp_string(text),
    };
    let offer = offer.map_err(|error| OfferError::Malformed(error.to_string()))?;
    meets_all_lines(text, &offer)?;
    let mut audio = 0;
    let mut has_port = false;
    let mut has_opus = false;
    let mut other = None;
    let bundled = bundled(text);
    for (number, line) in (1_usize..).zip(&offer.media_lines) {
        // Port 0 refuses a line, but for one that shares another's (RFC 9143, section 6).
        if line.disabled && !bundled.contains(&*line.mid()) {
            continue;
        }
        has_port |= !line.disabled;
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
    if audio == 0 || !has_port {
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
            // A session prefers what comes by UDP, and so do clients: RFC 6544, section 4.2.
            let udp = Candidate::builder().udp().host(address).build();
            let tcp = Candidate::builder().tcp().host(address);
            let tcp = self.tcp.then(|| tcp.tcptype(TcpType::Passive).build());
            for candidate in iter::once(udp).chain(tcp) {
                let candidate =
                    candidate.map_err(|error| OfferError::Unusable(error.to_string()))?;
                rtc.add_local_candidate(candidate);
            }
        }
        Ok((rtc, keys))
    }
}

/// The payload types of a line, if the client has Opus there by the number that the session knows: it has
/// one for all lines, that of the first (RFC 9143, section 10).
fn formats(rtc: &Rtc, offered: &[PayloadParams]) -> Option<Formats> {
    let is_opus = |params: &&PayloadParams| params.spec().codec == Codec::Opus;
    let opus = rtc.codec_config().params().iter().find(is_opus)?;
    let mut offered = offered.iter().filter(is_opus);
    offered
        .any(|params| params.pt() == opus.pt())
        .then_some(Formats {
            opus: opus.pt(),
            red: opus.red(),
        })
}

/// Random text of ICE characters (RFC 8839, section 5.4): 6 bits for each character.
fn ice_text(rng: &mut impl Rng, length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..length)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}
