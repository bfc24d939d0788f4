//! A participant, as the home of their room knows them: who they are, what they may do, and where their
//! media session has its seat.

use str0m::Candidate;

use crate::{
    error::Error,
    event::{ConnectionState, ParticipantInfo},
    ids::WorkerId,
    keys::{BankKey, RoomKey},
    limits::MAX_REMOTE_CANDIDATES,
    rights::{self, SpeakPolicy},
    subscription::Subscription,
};

/// Somebody in a room.
pub(crate) struct Participant {
    pub(crate) info: ParticipantInfo,
    pub(crate) room: RoomKey,
    /// At which worker their datagrams arrive, and leave.
    pub(crate) seat: WorkerId,
    /// The slots that they hear, if they listen.
    pub(crate) bank: Option<BankKey>,
    /// Whom they want to hear.
    pub(crate) choice: Subscription,
    /// On how many lines they listen.
    pub(crate) lines: usize,
    pub(crate) has_microphone: bool,
    /// Whether who let them in grants that they are heard, whatever their role.
    pub(crate) may_publish: bool,
    /// Whether their seat was told that they may be heard.
    pub(crate) is_on_stage: bool,
    candidates: usize,
}

impl Participant {
    pub(crate) fn new(
        info: ParticipantInfo,
        room: RoomKey,
        seat: WorkerId,
        bank: Option<BankKey>,
        lines: usize,
        has_microphone: bool,
    ) -> Self {
        Self {
            info,
            room,
            seat,
            bank,
            choice: Subscription::EVERYBODY,
            lines,
            has_microphone,
            may_publish: true,
            is_on_stage: false,
            candidates: 0,
        }
    }

    /// Whether packets for them are to be handed on to their seat.
    pub(crate) fn hears(&self) -> bool {
        self.bank.is_some() && self.info.state == ConnectionState::Connected
    }

    /// The same, of packets for those who hear by this bank.
    pub(crate) fn hears_by(&self, bank: BankKey) -> bool {
        self.hears() && self.bank == Some(bank)
    }

    /// Whether they are to be heard in a room of this policy, now. Who is away may: what came from them would
    /// show that they are back.
    pub(crate) fn may_speak(&self, policy: SpeakPolicy) -> bool {
        self.info.state != ConnectionState::Connecting
            && self.has_microphone
            && self.may_publish
            && rights::may_speak(policy, self.info.role, self.info.mutes)
    }

    /// How many candidates they have given.
    pub(crate) fn candidates(&self) -> usize {
        self.candidates
    }

    /// Takes a candidate as browsers write it (RFC 8839, section 5.1), and an empty one for the end.
    ///
    /// It is checked and counted, and no more: an ICE-lite agent sends no checks (RFC 8445, section 2.5),
    /// so it learns where a client is from the client's own.
    ///
    /// # Errors
    /// [`Error::CandidateMalformed`] or [`Error::CandidateLimit`].
    pub(crate) fn add_candidate(&mut self, text: &str) -> Result<(), Error> {
        let attribute = text.strip_prefix("a=").unwrap_or(text).trim();
        if attribute.is_empty() {
            return Ok(());
        }
        // A name in the place of the address (mDNS) is a candidate, too.
        let name = attribute
            .split_ascii_whitespace()
            .nth(4)
            .filter(|address| address.ends_with(".local"));
        let with_address = name.map(|name| attribute.replacen(name, "0.0.0.0", 1));
        Candidate::from_sdp_string(with_address.as_deref().unwrap_or(attribute))
            .map_err(|error| Error::CandidateMalformed(error.to_string()))?;
        if self.candidates >= MAX_REMOTE_CANDIDATES {
            return Err(Error::CandidateLimit);
        }
        self.candidates += 1;
        Ok(())
    }
}
