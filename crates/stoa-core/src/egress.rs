//! The last step of a packet: from [`Composed`](crate::compose::Composed) to one listener.
//!
//! This is the seam between what a room decides once and what each listener costs. Above it nothing
//! knows of a listener's sequence, payload type or keys. Below it, for now, is one path.

pub(crate) mod reference;
