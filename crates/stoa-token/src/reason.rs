//! Why a token is refused: exactly for the node's own counters, and not at all for who showed it.

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It has more than [`crate::MAX_TOKEN_BYTES`].
    Oversized,
    /// It is not three parts of base64url with a point between them.
    NotCompact,
    /// Its header is not a JSON object of `alg`, `typ` and `kid`, each once and a text.
    HeaderMalformed,
    /// Its `typ` is not [`crate::TYPE`]: it was made for something else.
    WrongType,
    /// Its header names no key.
    KeyMissing,
    /// No key of this node has its `kid`.
    KeyUnknown,
    /// Its `alg` is not that of its key. `none` is nobody's.
    WrongAlgorithm,
    /// Its signature is not by its key.
    BadSignature,
    /// Its claims are not a JSON object, one that has a meaning is missing, is there twice or is not of
    /// its type.
    ClaimsMalformed,
    /// A claim is of its type but not in its range: an identifier, a name that is too long, a role or a
    /// kind of media that does not exist.
    ClaimInvalid,
    /// Its `iss` is not the tenant that its key belongs to.
    ForeignTenant,
    /// It is meant for somebody else: its `aud` does not name this service.
    WrongAudience,
    /// Its `exp` has passed.
    Expired,
    /// Its `iat` or `nbf` is still to come.
    NotYetValid,
    /// It is valid for longer than [`crate::LONGEST_LIFETIME`], or ends before it begins.
    LifetimeTooLong,
    /// It is good once and was used.
    Replayed,
    /// It is good once, and as many such tokens of its tenant are remembered as may be.
    OnceTableFull,
}

impl Reason {
    /// Every reason there is.
    pub const ALL: [Self; 17] = [
        Self::Oversized,
        Self::NotCompact,
        Self::HeaderMalformed,
        Self::WrongType,
        Self::KeyMissing,
        Self::KeyUnknown,
        Self::WrongAlgorithm,
        Self::BadSignature,
        Self::ClaimsMalformed,
        Self::ClaimInvalid,
        Self::ForeignTenant,
        Self::WrongAudience,
        Self::Expired,
        Self::NotYetValid,
        Self::LifetimeTooLong,
        Self::Replayed,
        Self::OnceTableFull,
    ];

    /// Its name in counters and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oversized => "oversized",
            Self::NotCompact => "not_compact",
            Self::HeaderMalformed => "header_malformed",
            Self::WrongType => "wrong_type",
            Self::KeyMissing => "key_missing",
            Self::KeyUnknown => "key_unknown",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::BadSignature => "bad_signature",
            Self::ClaimsMalformed => "claims_malformed",
            Self::ClaimInvalid => "claim_invalid",
            Self::ForeignTenant => "foreign_tenant",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::Replayed => "replayed",
            Self::OnceTableFull => "once_table_full",
        }
    }
}

/// The token is not good. Its text is the same whatever the reason is: it may go to who showed the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the join token is not good")]
pub struct Refused {
    /// Why; for the node's own counters.
    pub reason: Reason,
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}
