//! The targets, one for each thing that is parsed.

mod agent_question;
mod configuration;
mod control_message;
mod datagram;
pub(crate) mod dtls;
mod exposition;
mod http3_frames;
mod ice_candidate;
pub(crate) mod join_token;
mod red;
pub(crate) mod rtcp;
mod rtp;
mod sdp_offer;
mod stun;
mod talk_message;
mod tcp_stream;
mod whip;

/// Something that parses.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its folder in the corpus.
    pub name: &'static str,
    /// Panics where a property does not hold.
    pub run: fn(&[u8]),
    /// The longest input that tells more than a shorter one, in bytes.
    pub longest: usize,
}

/// All of them, in the order in which a packet or a call meets them.
pub const TARGETS: &[Target] = &[
    target("datagram", datagram::run, 2_100),
    target("tcp_stream", tcp_stream::run, 8_192),
    target("stun", stun::run, 1_500),
    target("dtls", dtls::run, 4_096),
    target("rtp", rtp::run, 1_500),
    target("red", red::run, 1_500),
    target("rtcp", rtcp::run, 1_500),
    target("sdp_offer", sdp_offer::run, 16_384),
    target("ice_candidate", ice_candidate::run, 1_024),
    target("join_token", join_token::run, 4_200),
    target("control_message", control_message::run, 8_192),
    target("http3_frames", http3_frames::run, 8_192),
    target("whip", whip::run, 16_384),
    target("configuration", configuration::run, 8_192),
    target("talk_message", talk_message::run, 8_192),
    target("exposition", exposition::run, 8_192),
    target("agent_question", agent_question::run, 8_192),
];

const fn target(name: &'static str, run: fn(&[u8]), longest: usize) -> Target {
    Target { name, run, longest }
}

/// The target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
