//! Bans: whom they mean, where, and how far they reach.

use std::time::SystemTime;

use stoa_api::v1;
use stoa_core::ParticipantId;

use super::Fields;
use crate::errors::Failure;

/// The longest note on a ban, in bytes.
const MAX_NOTE_BYTES: usize = 256;

/// A ban that somebody wants.
pub(crate) struct WantedBan {
    /// The room's name; empty for all.
    pub(crate) room: String,
    pub(crate) participant: ParticipantId,
    /// None means now.
    pub(crate) issued_before: Option<SystemTime>,
    pub(crate) note: String,
}

pub(crate) fn ban(
    request: &v1::CreateBanRequest,
    latest: SystemTime,
) -> Result<WantedBan, Failure> {
    let mut fields = Fields::default();
    let none = v1::Ban::default();
    let ban = request.ban.as_ref().unwrap_or(&none);
    let room = fields.room_or_all("ban.room_id", &ban.room_id);
    let participant = fields.take(
        "ban.participant_id",
        ParticipantId::new(&ban.participant_id),
    );
    fields.at_most("ban.note", &ban.note, MAX_NOTE_BYTES);
    fields.request_id(&request.request_id);
    let issued_before = ban.issued_before.as_ref().map(|time| {
        let time = SystemTime::try_from(*time).ok();
        time.filter(|time| (SystemTime::UNIX_EPOCH..=latest).contains(time))
    });
    if issued_before == Some(None) {
        let why = "must be a time from 1970 to ten years from now".into();
        fields.0.push(("ban.issued_before", why));
    }
    let wanted = || {
        Some(WantedBan {
            room: room?,
            participant: participant?,
            issued_before: issued_before.flatten(),
            note: ban.note.clone(),
        })
    };
    fields.finish(wanted())
}

/// Whom a ban means: a room's name, or nothing for all rooms, and somebody.
pub(crate) fn banned(room: &str, participant: &str) -> Result<(String, ParticipantId), Failure> {
    let mut fields = Fields::default();
    let room = fields.room_or_all("room_id", room);
    let participant = fields.participant(participant);
    fields.finish(room.zip(participant))
}
