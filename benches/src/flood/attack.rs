//! The attacks, each for a while and at a rate that are bounded.

use std::{io, time::Duration};

use super::{
    admitted::{self, Insider},
    connections, http2, http3, insider, outside, spoofed,
    target::{Offered, Target},
    whip,
};

/// An attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attack {
    /// From an address where nobody is.
    Outside(outside::Way),
    /// From the addresses of people who are in.
    Spoofed(spoofed::Way),
    /// ClientHellos as clients send them, in the name of listeners who are in: what an insider can send.
    InsiderHellos,
    /// By somebody who is in, with valid keys.
    Admitted(admitted::Way),
    /// Connections to the control API that never say anything, all of one address.
    IdleConnections,
    /// The same from so many addresses that they reach the port's whole limit.
    IdleFromMany,
    /// To the control API by HTTP/2 over TCP.
    Http2(http2::Way),
    /// To the control API by HTTP/3 over QUIC.
    Http3(http3::Way),
    /// To WHIP.
    Whip(whip::Way),
    /// Joins whose clients never come.
    Joins,
    /// The same with the longest offers that are read.
    LongOffers,
}

impl Attack {
    pub(super) const ALL: [Self; 28] = [
        Self::Outside(outside::Way::Garbage),
        Self::Outside(outside::Way::ForgedChecks),
        Self::Spoofed(spoofed::Way::ClientHellos),
        Self::InsiderHellos,
        Self::Spoofed(spoofed::Way::Feedback),
        Self::Spoofed(spoofed::Way::ReplayedMedia),
        Self::Admitted(admitted::Way::Reports),
        Self::Admitted(admitted::Way::ListenerMedia),
        Self::Admitted(admitted::Way::NewSsrcs),
        Self::Admitted(admitted::Way::Records),
        Self::Admitted(admitted::Way::Checks),
        Self::Admitted(admitted::Way::ChecksFromMany),
        Self::Admitted(admitted::Way::SpeakerMedia),
        Self::IdleConnections,
        Self::IdleFromMany,
        Self::Http2(http2::Way::SlowHeads),
        Self::Http2(http2::Way::Resets),
        Self::Http2(http2::Way::Pings),
        Self::Http2(http2::Way::UnreadByAnybody),
        Self::Http2(http2::Way::UnreadByCaller),
        Self::Http3(http3::Way::SlowHeads),
        Self::Http3(http3::Way::Resets),
        Self::Http3(http3::Way::UnreadByCaller),
        Self::Http3(http3::Way::Initials),
        Self::Whip(whip::Way::NeverConnect),
        Self::Whip(whip::Way::SlowRequests),
        Self::Joins,
        Self::LongOffers,
    ];

    /// Its place among them, from 1.
    pub(super) fn number(self) -> usize {
        let place = Self::ALL.into_iter().position(|other| other == self);
        place.map_or(0, |place| place + 1)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Outside(way) => way.name(),
            Self::Spoofed(way) => way.name(),
            Self::Admitted(way) => way.name(),
            Self::InsiderHellos => "ClientHellos of insiders",
            Self::IdleConnections => "idle connections, one source",
            Self::IdleFromMany => "idle connections, 8 sources",
            Self::Http2(way) => way.name(),
            Self::Http3(way) => way.name(),
            Self::Whip(way) => way.name(),
            Self::Joins => "joins that never connect",
            Self::LongOffers => "longest offers",
        }
    }
}

/// Sends datagrams at this rate for as long, or opens connections. `insider` is who was let in for it.
///
/// # Errors
/// The system's; [`io::ErrorKind::PermissionDenied`] for a spoofed one without the right to that.
pub(super) fn run(
    attack: Attack,
    insider: Option<Insider>,
    target: &Target,
    rate: u32,
    time: Duration,
) -> io::Result<Offered> {
    match attack {
        Attack::Outside(way) => outside::run(way, target, rate, time),
        Attack::Spoofed(way) => spoofed::run(way, target, rate, time),
        Attack::Admitted(way) => match insider {
            Some(insider) => admitted::run(way, insider, rate, time),
            None => Err(io::Error::other("nobody was let in")),
        },
        Attack::InsiderHellos => insider::run(target, rate, time),
        Attack::IdleConnections => connections::idle(target.control, 1, rate, time),
        Attack::IdleFromMany => connections::idle(target.control, 8, rate, time),
        Attack::Http2(way) => http2::run(way, target, rate, time),
        Attack::Http3(way) => http3::run(way, target, rate, time),
        Attack::Whip(way) => whip::run(way, target, time),
        // Those are calls.
        Attack::Joins | Attack::LongOffers => Ok(Offered::default()),
    }
}
