//! What of a datagram of DTLS 1.2 is for dimpl (RFC 6347, sections 4.1 and 4.2.2).
//!
//! Two things are kept from it, which no client of ours has a reason to send:
//!
//! - **Application data.** No data channel is ever negotiated here, but str0m hands what comes to SCTP all the same,
//!   and keeps something of each association that is asked for (docs/upstream/str0m-sctp-unasked.md).
//! - **A certificate that is longer than str0m has room for**, at which dimpl panics
//!   (docs/upstream/dimpl-a-long-certificate.md). Those of browsers have about 300 bytes.

use dimpl::{CertificateError, Error};

/// The longest certificate that str0m 0.25 has room for, in bytes.
pub(super) const MAX_CERTIFICATE_BYTES: usize = 2_000;

const RECORD_HEADER: usize = 13;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

const MESSAGE_HEADER: usize = 12;
const CERTIFICATE: u8 = 11;
/// How long all certificates are, and how long the first one is.
const CERTIFICATE_HEADER: usize = 6;

/// What stands in a datagram before the first application data; all of it, as a rule.
///
/// # Errors
/// [`Error::CertificateError`] for a certificate that is too long, or whose length stands in pieces of a few bytes.
pub(super) fn admitted(datagram: &[u8]) -> Result<&[u8], Error> {
    let mut rest = datagram;
    while let Some((header, behind)) = rest.split_first_chunk::<RECORD_HEADER>() {
        let &[
            kind,
            _,
            _,
            epoch_high,
            epoch_low,
            _,
            _,
            _,
            _,
            _,
            _,
            high,
            low,
        ] = header;
        if kind == APPLICATION_DATA {
            return Ok(&datagram[..datagram.len() - rest.len()]);
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        // What has been cut off is dimpl's to refuse.
        let Some((fragment, after)) = behind.split_at_checked(length) else {
            break;
        };
        // In another epoch it is encrypted, and certificates were before.
        if (kind, epoch_high, epoch_low) == (HANDSHAKE, 0, 0) && !are_bearable(fragment) {
            tracing::debug!("a DTLS certificate of more than {MAX_CERTIFICATE_BYTES} bytes");
            return Err(Error::CertificateError(CertificateError::ParseFailed));
        }
        rest = after;
    }
    Ok(datagram)
}

/// Whether there is room for each certificate that begins in these handshake messages.
fn are_bearable(mut messages: &[u8]) -> bool {
    let word = |bytes: &[u8]| u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
    while let Some((header, behind)) = messages.split_first_chunk::<MESSAGE_HEADER>() {
        let (length, offset, here) = (word(&header[1..]), word(&header[6..]), word(&header[9..]));
        let Some((body, after)) = behind.split_at_checked(here) else {
            break;
        };
        // An empty list has but its own length.
        if header[0] == CERTIFICATE && offset == 0 && length >= CERTIFICATE_HEADER {
            let first = body.get(3..CERTIFICATE_HEADER).map(word);
            if first.is_none_or(|bytes| bytes > MAX_CERTIFICATE_BYTES) {
                return false;
            }
        }
        messages = after;
    }
    true
}

#[cfg(test)]
mod tests;
