//! Which participant a datagram is for.
//!
//! An address that has shown a valid ICE credential leads to its participant. Anything else must be
//! a STUN request whose user name begins with a participant's ICE user name fragment (RFC 8445,
//! section 7.2.2) and whose integrity holds under that participant's password. What is neither is
//! dropped without an answer, and costs no more than one look-up and one hash.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Instant};

use ahash::RandomState;
use str0m::{IceCreds, config::CryptoProvider, ice::StunMessage};

use crate::{
    contain::contain, endpoint::Endpoint, keys::SessionKey, limits::ADDRESS_KEPT, stats::DropReason,
};

/// Where a datagram goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// DTLS, RTP or RTCP from an address that this participant has proven to be theirs.
    Media(SessionKey),
    /// An ICE check of this participant: the address is theirs.
    Check {
        session: SessionKey,
        /// Whether the client wants to be reached there (RFC 8445, section 7.2.5.3.4, USE-CANDIDATE).
        nominates: bool,
    },
    /// The same by credentials of ours from before an ICE restart, of which the session knows nothing any
    /// more; and what to answer.
    FormerCheck {
        session: SessionKey,
        nominates: bool,
        ufrag: String,
        answer: Vec<u8>,
    },
}

/// Who an ICE user name fragment of ours stands for.
struct Credential {
    session: SessionKey,
    password: String,
    /// Whether an ICE restart has given the session others.
    is_former: bool,
}

/// A way between a participant and this node.
#[derive(Debug, Clone, Copy)]
struct Path {
    session: SessionKey,
    /// The address of ours to which the participant's datagrams came, where the socket tells.
    local: Option<IpAddr>,
    /// When the participant's last check came from there.
    checked_at: Instant,
}

/// Whose an address is after a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The participant's, as before.
    Known,
    /// Nobody's who has used it lately; [`Demux::learn`] makes it the participant's.
    Free,
    /// Another one's.
    Taken,
}

/// Known addresses and credentials.
pub(crate) struct Demux {
    crypto: Arc<CryptoProvider>,
    by_address: HashMap<Endpoint, Path, RandomState>,
    by_ufrag: HashMap<String, Credential, RandomState>,
}

/// What the answer to a check has at most: its head, an IPv6 address, integrity and fingerprint.
const LONGEST_REPLY: usize = 20 + 24 + 24 + 8;

/// The first byte of a STUN message is 0 to 3 (RFC 7983, section 7).
pub(crate) fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|&byte| byte < 4)
}

/// The first byte of an RTP or RTCP packet is 128 to 191 (RFC 7983, section 7), and what would be the
/// payload type of RTP is 64 to 95 in RTCP (RFC 5761, section 4).
pub(crate) fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if !(64..=95).contains(&(second & 0x7f)))
}

/// The same for RTCP.
pub(crate) fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if (64..=95).contains(&(second & 0x7f)))
}

/// Whether an RTCP packet begins with a report of somebody who sends (RFC 3550, section 6.4.1). That is
/// never encrypted (RFC 3711, section 3.4).
pub(crate) fn is_sender_report(datagram: &[u8]) -> bool {
    matches!(datagram, [_, 200, ..])
}

/// The SSRC as which a datagram was sent, if it is SRTP or SRTCP. It is never encrypted.
pub(crate) fn ssrc_of_sender(datagram: &[u8]) -> Option<u32> {
    let at = match (is_rtp(datagram), is_rtcp(datagram)) {
        (true, _) => 8,
        (_, true) => 4,
        _ => return None,
    };
    let bytes = datagram.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

impl Demux {
    /// How many addresses are known.
    pub(crate) fn addresses(&self) -> usize {
        self.by_address.len()
    }

    /// How many ICE user name fragments are known.
    pub(crate) fn credentials(&self) -> usize {
        self.by_ufrag.len()
    }

    pub(crate) fn new(crypto: Arc<CryptoProvider>, hasher: &RandomState) -> Self {
        Self {
            crypto,
            by_address: HashMap::with_hasher(hasher.clone()),
            by_ufrag: HashMap::with_hasher(hasher.clone()),
        }
    }

    /// Makes a participant known by the ICE credentials of our own side.
    pub(crate) fn add(&mut self, credentials: IceCreds, session: SessionKey) {
        let credential = Credential {
            session,
            password: credentials.pass,
            is_former: false,
        };
        self.by_ufrag.insert(credentials.ufrag, credential);
    }

    /// Notes that an ICE restart has given the session other credentials than these, which are good all the
    /// same until the client has shown the others.
    pub(crate) fn supersede(&mut self, ufrag: &str) {
        if let Some(credential) = self.by_ufrag.get_mut(ufrag) {
            credential.is_former = true;
        }
    }

    /// Forgets credentials of ours. The addresses that were shown with them stay.
    pub(crate) fn forget_credentials(&mut self, ufrag: &str) {
        self.by_ufrag.remove(ufrag);
    }

    /// Forgets a participant.
    pub(crate) fn remove(&mut self, ufrag: &str, addresses: &[Endpoint]) {
        if let Some(credential) = self.by_ufrag.remove(ufrag) {
            for address in addresses {
                self.forget(*address, credential.session);
            }
        }
    }

    /// Where the datagram goes.
    pub(crate) fn route(&self, remote: Endpoint, datagram: &[u8]) -> Result<Route, DropReason> {
        if !is_stun(datagram) {
            let path = self
                .by_address
                .get(&remote)
                .ok_or(DropReason::UnknownAddress)?;
            return Ok(Route::Media(path.session));
        }
        contain(|| self.route_check(remote, datagram)).unwrap_or(Err(DropReason::InternalFault))
    }

    /// Where an ICE check goes. Anybody may have sent it.
    fn route_check(&self, remote: Endpoint, datagram: &[u8]) -> Result<Route, DropReason> {
        let message = StunMessage::parse(datagram).map_err(|_| DropReason::Malformed)?;
        let (ours, _theirs) = message.split_username().ok_or(DropReason::UnknownUfrag)?;
        let credential = self.by_ufrag.get(ours).ok_or(DropReason::UnknownUfrag)?;
        let hmac =
            |key: &[u8], parts: &[&[u8]]| self.crypto.sha1_hmac_provider.sha1_hmac(key, parts);
        // We are an ICE-lite agent: we ask nothing, so only requests make sense.
        if !message.is_binding_request() || !message.verify(credential.password.as_bytes(), hmac) {
            return Err(DropReason::StunRefused);
        }
        let (session, nominates) = (credential.session, message.use_candidate());
        if !credential.is_former {
            return Ok(Route::Check { session, nominates });
        }
        let reply = StunMessage::binding_reply(message.trans_id(), remote.address);
        let mut answer = vec![0; LONGEST_REPLY];
        let written = reply.to_bytes(Some(credential.password.as_bytes()), &mut answer, hmac);
        answer.truncate(written.map_err(|_| DropReason::StunRefused)?);
        Ok(Route::FormerCheck {
            session,
            nominates,
            ufrag: ours.to_owned(),
            answer,
        })
    }

    /// Whose an address is from which a participant has just proven itself.
    pub(crate) fn claim(&self, now: Instant, remote: Endpoint, session: SessionKey) -> Claim {
        match self.by_address.get(&remote) {
            Some(path) if path.session == session => Claim::Known,
            Some(path) if now < path.checked_at + ADDRESS_KEPT => Claim::Taken,
            _ => Claim::Free,
        }
    }

    /// Makes an address lead to the participant that has just proven itself from there.
    pub(crate) fn learn(
        &mut self,
        now: Instant,
        remote: Endpoint,
        local: Option<IpAddr>,
        session: SessionKey,
    ) {
        let path = Path {
            session,
            local,
            checked_at: now,
        };
        self.by_address.insert(remote, path);
    }

    /// Makes an address lead nowhere, if it led to this participant.
    pub(crate) fn forget(&mut self, remote: Endpoint, session: SessionKey) {
        if self.owner(remote) == Some(session) {
            self.by_address.remove(&remote);
        }
    }

    /// Whose an address is, if it leads to anybody.
    pub(crate) fn owner(&self, remote: Endpoint) -> Option<SessionKey> {
        self.by_address.get(&remote).map(|path| path.session)
    }

    /// The address of ours from which the remote address expects datagrams, where it is known.
    pub(crate) fn local_for(&self, remote: Endpoint) -> Option<IpAddr> {
        self.by_address.get(&remote)?.local
    }
}
