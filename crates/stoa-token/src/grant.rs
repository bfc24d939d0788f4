//! What a good token grants.

use std::time::{Duration, SystemTime};

use stoa_core::{ParticipantId, Role, RoomId, TenantId};

use crate::{claims::Claims, reason::Reason};

/// The longest name to show, in bytes; as the control API has it.
pub const MAX_NAME_BYTES: usize = 256;

/// The longest `jti`, in characters; as every identifier.
pub const MAX_TOKEN_ID_LENGTH: usize = 128;

/// The `aud` that means this service.
const AUDIENCE: &str = "stoa";

/// What somebody may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Publish {
    /// A microphone, of which the room's policy and their role say whether it is heard.
    pub audio: bool,
    /// A microphone in music mode.
    pub music: bool,
}

impl Publish {
    /// Whether they may send nothing at all.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// What a good token grants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// By whom: the tenant that the key belongs to.
    pub tenant: TenantId,
    /// To whom.
    pub participant: ParticipantId,
    /// In which room of the tenant's.
    pub room: RoomId,
    /// What they may be at most. The order of roles is that of [`Role`].
    pub role: Role,
    /// What they may send.
    pub publish: Publish,
    /// The name to show; may be empty.
    pub display_name: String,
    /// When it was granted, to the second: a ban that is newer goes before it.
    pub issued: SystemTime,
    /// Until when.
    pub expires: SystemTime,
    /// The token's name among its tenant's.
    pub id: String,
    /// Whether it lets in once only; see [`crate::Used`].
    pub once: bool,
}

impl Grant {
    /// Takes claims at their word, if each is in its range.
    pub(crate) fn of(claims: Claims) -> Result<Self, Reason> {
        let invalid = |_| Reason::ClaimInvalid;
        if claims.aud.is_some_and(|audience| !audience.names(AUDIENCE)) {
            return Err(Reason::WrongAudience);
        }
        let tenant = TenantId::new(&claims.iss).map_err(invalid)?;
        // It has the alphabet and the length of all identifiers.
        ParticipantId::new(&claims.jti).map_err(invalid)?;
        if claims.name.len() > MAX_NAME_BYTES {
            return Err(Reason::ClaimInvalid);
        }
        Ok(Self {
            participant: ParticipantId::new(&claims.sub).map_err(invalid)?,
            room: RoomId::of_tenant(&tenant, &claims.room).map_err(invalid)?,
            role: role(&claims.role)?,
            publish: publish(&claims.publish)?,
            display_name: claims.name,
            issued: time(claims.iat)?,
            expires: time(claims.exp)?,
            id: claims.jti,
            once: claims.once,
            tenant,
        })
    }
}

fn time(seconds: u64) -> Result<SystemTime, Reason> {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .ok_or(Reason::ClaimInvalid)
}

fn role(name: &str) -> Result<Role, Reason> {
    match name {
        "listener" => Ok(Role::Listener),
        "speaker" => Ok(Role::Speaker),
        "moderator" => Ok(Role::Moderator),
        _ => Err(Reason::ClaimInvalid),
    }
}

fn publish(kinds: &[String]) -> Result<Publish, Reason> {
    let mut publish = Publish::default();
    for kind in kinds {
        let flag = match kind.as_str() {
            "audio" => &mut publish.audio,
            "music" => &mut publish.music,
            _ => return Err(Reason::ClaimInvalid),
        };
        if std::mem::replace(flag, true) {
            return Err(Reason::ClaimInvalid);
        }
    }
    Ok(publish)
}
