//! What is asked over HTTP by who is in no room: at the entrance, and by the administrator.

use serde::Deserialize;

use super::check;
use crate::{admission::Admission, limits, problem::Problem};

/// A question at the entrance of the service.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AtEntrance {
    /// The browser's secret, as in `Join`.
    pub(crate) secret: String,
    /// What is wanted; without it, the question is how one stands.
    #[serde(default)]
    pub(crate) action: Option<Wish>,
}

/// What somebody wants at the entrance.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Wish {
    /// Let me in by this code.
    UseCode {
        /// The name, as in `Join`.
        name: String,
        /// The invitation's code.
        code: String,
    },
    /// Put me on the waiting list.
    Wait {
        /// The name, as in `Join`.
        name: String,
    },
    /// Make an invitation for others.
    Invite {
        /// For how many people.
        places: u32,
    },
    /// Take an invitation of mine back.
    Revoke {
        /// Its number.
        id: i64,
    },
}

impl AtEntrance {
    /// Whether all of it is as it should be.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        check::secret("secret", &self.secret)?;
        match &self.action {
            Some(Wish::UseCode { name, code }) => {
                check::text("name", name, 1, limits::MAX_NAME_CHARS)?;
                check::code(code)
            }
            Some(Wish::Wait { name }) => check::text("name", name, 1, limits::MAX_NAME_CHARS),
            Some(Wish::Invite { places }) => {
                check::number("places", *places, 1, limits::MAX_INVITES)
            }
            Some(Wish::Revoke { .. }) | None => Ok(()),
        }
    }
}

/// What the administrator asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfAdministrator {
    /// The administrator's key.
    pub(crate) key: String,
    /// What is to be done; without it, only told.
    #[serde(default)]
    pub(crate) action: Option<Order>,
    /// What the names of people have in them who are told of.
    #[serde(default)]
    pub(crate) search: String,
    /// The wave whose invitations are told of.
    #[serde(default)]
    pub(crate) wave: Option<i64>,
}

/// What the administrator has done.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Order {
    /// Open the service to everyone, or close it.
    SetAdmission {
        /// Which.
        admission: Admission,
    },
    /// Make a wave.
    CreateWave {
        /// What it is called: 1 to 60 characters.
        name: String,
        /// How many invitations it has.
        #[serde(default)]
        invitations: u32,
        /// How many people each of them lets in.
        #[serde(default = "one")]
        places: u32,
        /// How many people each may invite who comes in with it.
        #[serde(default)]
        invites: u32,
        /// How many come from the waiting list.
        #[serde(default)]
        from_list: u32,
    },
    /// Open a wave.
    OpenWave {
        /// Which.
        wave: i64,
    },
    /// Drop a wave that is not open.
    DropWave {
        /// Which.
        wave: i64,
    },
    /// Say how many people those may invite who come in with a wave from now on.
    SetInvites {
        /// Which.
        wave: i64,
        /// How many.
        invites: u32,
    },
    /// Have somebody on the list wait for a wave, or for none.
    PutInWave {
        /// Who.
        member: i64,
        /// Which.
        wave: Option<i64>,
    },
    /// Take somebody off the list.
    Forget {
        /// Who.
        member: i64,
    },
    /// Revoke an invitation, whoever has made it.
    Revoke {
        /// Its number.
        invitation: i64,
    },
    /// Ban somebody from the service.
    Ban {
        /// Who.
        member: i64,
    },
    /// End a ban.
    LiftBan {
        /// Whose.
        member: i64,
    },
}

fn one() -> u32 {
    1
}

impl OfAdministrator {
    /// Whether all of it is as it should be.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        check::text("search", &self.search, 0, limits::MAX_NAME_CHARS)?;
        match &self.action {
            Some(Order::CreateWave {
                name,
                invitations,
                places,
                invites,
                from_list,
            }) => {
                check::text("name", name, 1, limits::MAX_LABEL_CHARS)?;
                let most = limits::MAX_INVITATIONS_PER_WAVE;
                check::number("invitations", *invitations, 0, most)?;
                check::number("places", *places, 1, limits::MAX_PLACES)?;
                check::number("invites", *invites, 0, limits::MAX_INVITES)?;
                check::number("from_list", *from_list, 0, limits::MAX_PLACES)
            }
            Some(Order::SetInvites { invites, .. }) => {
                check::number("invites", *invites, 0, limits::MAX_INVITES)
            }
            _ => Ok(()),
        }
    }
}
