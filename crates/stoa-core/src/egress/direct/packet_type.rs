//! Types of RTCP packets (RFC 3550, section 12.1).

pub(super) const SENDER_REPORT: u8 = 200;
pub(super) const RECEIVER_REPORT: u8 = 201;
pub(super) const SOURCE_DESCRIPTION: u8 = 202;
pub(super) const GOODBYE: u8 = 203;
/// RFC 3611, section 2.
pub(super) const EXTENDED_REPORT: u8 = 207;
