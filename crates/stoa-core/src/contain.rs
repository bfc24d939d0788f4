//! Containment: a panic in what belongs to one participant alone ends that participant, and nothing else
//! (docs/adr/0019).
//!
//! What is run in here is foreign code, or reads what somebody has sent, and changes nothing but what belongs to one
//! participant. That is thrown away after a panic, so nobody ever sees it half changed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Error;

/// Something panicked. The panic hook of the process has told where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Runs something that changes only what is thrown away if it panics. Costs nothing where it does not.
pub(crate) fn contain<T>(what: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(what)).map_err(|_| Panicked)
}

/// The same, where the panic is counted at once.
pub(crate) fn contain_counting<T>(
    panics: &mut u64,
    what: impl FnOnce() -> T,
) -> Result<T, Panicked> {
    contain(what).inspect_err(|Panicked| *panics += 1)
}

impl From<Panicked> for Error {
    fn from(Panicked: Panicked) -> Self {
        Self::InternalFault
    }
}

/// A datagram at which a session panics, in builds for tests only. No input is known that comes to str0m and
/// at which it does.
#[cfg(all(feature = "planted-faults", debug_assertions))]
pub mod planted {
    /// It begins like DTLS, so it comes to the session of whoever sends it, in the lobby and in a room.
    pub const FATAL_DATAGRAM: &[u8] = b"\x17a planted fault";
    /// A line of an offer at which answering it panics.
    pub const FATAL_OFFER_LINE: &str = "a=planted-fault\r\n";
}

/// Panics at the datagram that is planted for tests.
#[inline]
pub(crate) fn meet_planted_fault(datagram: &[u8]) {
    #[cfg(all(feature = "planted-faults", debug_assertions))]
    if datagram == planted::FATAL_DATAGRAM {
        panic!("a planted fault");
    }
    let _ = datagram;
}

/// The same for an offer.
#[inline]
pub(crate) fn meet_planted_fault_in_offer(offer: &str) {
    #[cfg(all(feature = "planted-faults", debug_assertions))]
    if offer.contains(planted::FATAL_OFFER_LINE) {
        panic!("a planted fault");
    }
    let _ = offer;
}
