//! RTCP of the direct path: what it says of its lines, and what is said of them.

use std::time::Instant;

use super::{
    extended::is_overstated,
    line::Line,
    ntp::NtpTime,
    packet_type::{GOODBYE, RECEIVER_REPORT, SENDER_REPORT, SOURCE_DESCRIPTION},
    reception::{Reception, Receptions},
};
use crate::{
    egress::NegotiatedLine,
    quality::Measured,
    rtp::opus_ticks,
    seal::{RtcpOpener, RtcpSealer, SealError, SrtpKeys},
    stats::DropReason,
};

/// The SDES item that names the sender (RFC 3550, section 6.5.1).
const CNAME: u8 = 1;

/// What one listener's reports need.
pub(super) struct Reports {
    sealer: RtcpSealer,
    opener: RtcpOpener,
    cnames: Box<[Box<str>]>,
    /// By line: how many packets had been sent at the last report.
    reported: Box<[u64]>,
    is_first: bool,
    receptions: Receptions,
}

impl Reports {
    pub(super) fn new(keys: &SrtpKeys, lines: &[NegotiatedLine]) -> Result<Self, SealError> {
        Ok(Self {
            sealer: RtcpSealer::new(&keys.local)?,
            opener: RtcpOpener::new(&keys.remote)?,
            cnames: lines
                .iter()
                .map(|line| line.cname.as_str().into())
                .collect(),
            reported: lines.iter().map(|_| 0).collect(),
            is_first: true,
            receptions: Receptions::new(lines.len()),
        })
    }

    /// Whether nothing was reported yet.
    pub(super) fn is_first(&self) -> bool {
        self.is_first
    }

    /// Writes a sender report and a description of each line on which something was sent since the
    /// last call, as one sealed packet. Returns whether there is one.
    ///
    /// # Errors
    /// [`SealError`].
    pub(super) fn write<'a>(
        &mut self,
        now: Instant,
        ntp: NtpTime,
        lines: impl Iterator<Item = &'a Line> + Clone,
        out: &mut Vec<u8>,
    ) -> Result<bool, SealError> {
        let mut active = 0_u8;
        for (line, reported) in lines.clone().zip(&self.reported) {
            if line.packets() != *reported {
                write_sender_report(now, ntp, line, out);
                active += 1;
            }
        }
        if active == 0 {
            return Ok(false);
        }
        let start = begin(active, SOURCE_DESCRIPTION, out);
        for ((line, reported), cname) in lines.zip(&mut self.reported).zip(&self.cnames) {
            if line.packets() != *reported {
                *reported = line.packets();
                write_cname(line.ssrc(), cname, out);
            }
        }
        end(start, out);
        self.is_first = false;
        self.sealer.seal(out)?;
        Ok(true)
    }

    /// Writes that the lines are over (RFC 3550, section 6.6), as one sealed packet.
    ///
    /// # Errors
    /// [`SealError`].
    pub(super) fn write_goodbye<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a Line> + Clone,
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        // A compound packet begins with a report, here an empty one of reception (section 6.1).
        let first = lines.clone().next().map_or(0, Line::ssrc);
        let start = begin(0, RECEIVER_REPORT, out);
        out.extend_from_slice(&first.to_be_bytes());
        end(start, out);
        // There are at most MAX_AUDIO_SLOTS.
        let start = begin(lines.clone().count() as u8, GOODBYE, out);
        for line in lines {
            out.extend_from_slice(&line.ssrc().to_be_bytes());
        }
        end(start, out);
        self.sealer.seal(out)
    }

    /// Takes an SRTCP packet of the listener, if `may_take` says that there may be one more. `scratch` is for its plain
    /// text.
    ///
    /// # Errors
    /// [`DropReason::SessionRefused`] where it is not authentic, not newer than all before, or an extended report that
    /// says more than it has: str0m would take it again and again (docs/upstream/str0m-srtcp-again.md).
    /// [`DropReason::OverRate`] where there may be none now.
    pub(super) fn take<'a>(
        &mut self,
        ntp: NtpTime,
        lines: impl Iterator<Item = &'a Line> + Clone,
        packet: &[u8],
        scratch: &mut Vec<u8>,
        may_take: impl FnOnce() -> bool,
    ) -> Result<(), DropReason> {
        let is_good = self.opener.open(packet, scratch).is_ok() && !is_overstated(scratch);
        if !is_good {
            return Err(DropReason::SessionRefused);
        }
        // Asked of what is theirs alone, so that nobody else can use up what they may send.
        if !may_take() {
            return Err(DropReason::OverRate);
        }
        self.receptions.read(ntp, lines, scratch);
        Ok(())
    }

    /// Adds what was reported since the last call.
    pub(super) fn measure(&mut self, measured: &mut Measured) {
        self.receptions.measure(measured);
    }

    /// What the listener has reported.
    pub(super) fn reception(&self) -> Option<Reception> {
        self.receptions.all()
    }
}

/// Begins a packet of a compound (RFC 3550, section 6.4.1: the first word). Returns where it begins.
fn begin(count: u8, packet_type: u8, out: &mut Vec<u8>) -> usize {
    const VERSION: u8 = 2 << 6;
    let start = out.len();
    out.extend_from_slice(&[VERSION | count, packet_type, 0, 0]);
    start
}

/// Sets the length of a packet of a compound: in words, less one.
fn end(start: usize, out: &mut [u8]) {
    let words = (out.len() - start) / 4 - 1;
    // A report on eight lines has a few hundred bytes.
    out[start + 2..start + 4].copy_from_slice(&(words as u16).to_be_bytes());
}

/// RFC 3550, section 6.4.1, without report blocks: what the listener sends, the media session
/// reports on.
fn write_sender_report(now: Instant, ntp: NtpTime, line: &Line, out: &mut Vec<u8>) {
    let Some((time, at)) = line.latest() else {
        return;
    };
    let start = begin(0, SENDER_REPORT, out);
    out.extend_from_slice(&line.ssrc().to_be_bytes());
    out.extend_from_slice(&ntp.0.to_be_bytes());
    // What the timestamp of a packet would be that passed now.
    let time = time.plus(opus_ticks(now.saturating_duration_since(at)));
    out.extend_from_slice(&time.0.to_be_bytes());
    // Both counts wrap.
    out.extend_from_slice(&(line.packets() as u32).to_be_bytes());
    out.extend_from_slice(&line.octets().to_be_bytes());
    end(start, out);
}

/// One chunk of a source description (RFC 3550, section 6.5).
fn write_cname(ssrc: u32, cname: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&ssrc.to_be_bytes());
    let cname = cname.as_bytes();
    let cname = &cname[..cname.len().min(usize::from(u8::MAX))];
    out.extend_from_slice(&[CNAME, cname.len() as u8]);
    out.extend_from_slice(cname);
    // At least one zero ends the list of items, and the chunk ends with a word.
    let padding = 4 - out.len() % 4;
    out.resize(out.len() + padding, 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Profile;

    fn keys(is_client: bool) -> SrtpKeys {
        let material: Vec<u8> = (0..56).collect();
        SrtpKeys::new(Profile::AeadAes128Gcm, &material, is_client).unwrap()
    }

    /// What a client seals, and what is said of it.
    fn take(reports: &mut Reports, client: &mut RtcpSealer, compound: &[u8]) -> (Vec<u8>, bool) {
        let mut packet = compound.to_vec();
        client.seal(&mut packet).unwrap();
        let is_taken = takes(reports, &packet);
        (packet, is_taken)
    }

    fn takes(reports: &mut Reports, packet: &[u8]) -> bool {
        let taken = reports.take(NtpTime(0), [].iter(), packet, &mut Vec::new(), || true);
        taken != Err(DropReason::SessionRefused)
    }

    #[test]
    fn a_report_is_taken_once() {
        let mut reports = Reports::new(&keys(false), &[]).unwrap();
        let mut client = RtcpSealer::new(&keys(true).local).unwrap();
        let report = [&[0x80, 200, 0, 6][..], &[7; 24]].concat();
        let (first, is_taken) = take(&mut reports, &mut client, &report);
        assert!(is_taken);
        let (second, is_taken) = take(&mut reports, &mut client, &report);
        assert!(is_taken);
        for again in [&second, &first] {
            assert!(!takes(&mut reports, again));
        }
        let mut forged = first;
        forged[9] ^= 1;
        assert!(!takes(&mut reports, &forged));
    }

    #[test]
    fn an_extended_report_says_no_more_than_it_has() {
        let mut reports = Reports::new(&keys(false), &[]).unwrap();
        let mut client = RtcpSealer::new(&keys(true).local).unwrap();
        let extended = |words: u8| [0x80, 207, 0, 2, 0, 0, 0, 9, 5, 0, 0, words];
        let report = [&[0x80, 200, 0, 6][..], &[7; 24]].concat();
        let with = |words| [&report[..], &extended(words)].concat();
        assert!(take(&mut reports, &mut client, &with(0)).1);
        assert!(!take(&mut reports, &mut client, &with(3)).1);
    }
}
