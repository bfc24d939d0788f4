//! What a token says, for people, and whether it is good.

use std::{
    io::{BufRead as _, Read as _},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use stoa_core::TenantId;
use stoa_token::{
    Claims, KeyError, Keys, MAX_TOKEN_BYTES, Reason, SigningKey, TYPE, TokenKey, Unverified,
    Verifier,
};

use super::{cannot, files, signing};
use crate::{
    arguments::token::{Algorithm, Explain},
    exit::Failure,
};

/// Prints what the token says and, where there is something to check it with, whether it is good.
pub(super) fn run(arguments: Explain) -> Result<(), Failure> {
    let token = match &arguments.token {
        Some(token) => token.clone(),
        None => from_standard_input()?,
    };
    let token = token.trim();
    let now = SystemTime::now();
    let seen = Unverified::read(token).map_err(|reason| not_good(reason, None))?;
    print(&seen, now);
    let verifier = match (&arguments.config, &arguments.key) {
        (Some(config), _) => Verifier::new(crate::config::Config::read(config)?.token_keys()?),
        (None, Some(file)) => {
            let key = checking(arguments.algorithm, file, &seen)?;
            Verifier::new(Keys::new([key]).map_err(cannot)?)
        }
        (None, None) => {
            println!("\nNot checked: give --config or --key to learn whether it is good.");
            return Ok(());
        }
    };
    match verifier.verify(token, now) {
        Ok(_) => {
            println!("\nIt is good.");
            Ok(())
        }
        Err(refused) => Err(not_good(refused.reason, Some(&seen))),
    }
}

/// Refuses to hand out a token that no node would take.
pub(super) fn check_own(
    key: &SigningKey,
    kid: &str,
    tenant: &str,
    token: &str,
    now: SystemTime,
) -> Result<(), Failure> {
    let wrong =
        |name: &str, error: &dyn std::fmt::Display| Failure::Running(format!("--{name}: {error}"));
    let tenant = TenantId::new(tenant).map_err(|error| wrong("tenant", &error))?;
    let checking = key.checking(tenant, kid);
    let checking = checking.map_err(|error| wrong("kid", &error))?;
    let keys = Keys::new([checking]).map_err(cannot)?;
    match Verifier::new(keys).verify(token, now) {
        Ok(_) => Ok(()),
        Err(refused) => Err(not_good(refused.reason, None)),
    }
}

/// A token is a secret: who has it can enter. So it need not be on a command line.
fn from_standard_input() -> Result<String, Failure> {
    let mut line = String::new();
    let mut input = std::io::stdin().lock().take(MAX_TOKEN_BYTES as u64 + 2);
    input.read_line(&mut line).map_err(cannot)?;
    Ok(line)
}

/// A key by itself has no name and no tenant: what the token says is taken for right.
fn checking(algorithm: Algorithm, file: &Path, seen: &Unverified) -> Result<TokenKey, Failure> {
    let text = stoa_secret::read(file)?;
    let tenant = TenantId::new(&seen.claims.iss)
        .map_err(|error| Failure::Running(format!("the token's iss {error}")))?;
    let key = match signing(algorithm, &text) {
        Ok(key) => key.checking(tenant, &seen.key),
        Err(_) if algorithm == Algorithm::EdDsa => {
            let text = std::str::from_utf8(&text).unwrap_or_default();
            TokenKey::ed25519(tenant, &seen.key, text).map_err(Into::into)
        }
        Err(error) => Err(error),
    };
    key.map_err(|error| match error {
        stoa_token::MintError::Secret(KeyError::Id(error)) => {
            Failure::Running(format!("the token's kid {error}"))
        }
        error => files::wrong(file, error),
    })
}

fn print(seen: &Unverified, now: SystemTime) {
    let Claims {
        iss,
        sub,
        jti,
        iat,
        nbf,
        exp,
        room,
        role,
        publish,
        name,
        once,
        ..
    } = &seen.claims;
    let typ = match seen.kind.eq_ignore_ascii_case(TYPE) {
        true => "a join token",
        false => "not a join token",
    };
    let sends = match publish.as_slice() {
        [] => "nothing: they only listen".to_owned(),
        kinds => kinds.join(", "),
    };
    let line = |claim: &str, value: &str, meaning: &str| {
        // A claim is whatever somebody wrote: nothing in it may steer the terminal.
        println!(
            "{claim:8} {:30} {meaning}",
            value.escape_debug().to_string()
        );
    };
    line("typ", &seen.kind, typ);
    line("alg", &seen.algorithm, "what it says it is signed with");
    line("kid", &seen.key, "the key it names");
    line("iss", iss, "the tenant");
    line("room", room, "the room");
    line("sub", sub, "who they are in it");
    line("name", name, "the name that is shown");
    line("role", role, "what they may be at most");
    line("publish", &sends, "what they may send");
    line("iat", &iat.to_string(), &relative("made", *iat, now));
    if let Some(nbf) = nbf {
        line("nbf", &nbf.to_string(), &relative("good from", *nbf, now));
    }
    line("exp", &exp.to_string(), &relative("ends", *exp, now));
    line("jti", jti, "the token's own name");
    let once_means = match once {
        true => "it lets in once",
        false => "it lets the same person in until it ends",
    };
    line("once", &once.to_string(), once_means);
}

fn relative(what: &str, seconds: u64, now: SystemTime) -> String {
    let Some(time) = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) else {
        return format!("{what} at no time that there is");
    };
    match time.duration_since(now) {
        Ok(left) => format!("{what} in {} s", left.as_secs()),
        Err(passed) => format!("{what} {} s ago", passed.duration().as_secs()),
    }
}

fn not_good(reason: Reason, seen: Option<&Unverified>) -> Failure {
    let why = match reason {
        Reason::Oversized => format!("it is longer than {MAX_TOKEN_BYTES} bytes"),
        Reason::NotCompact => "it is not three parts of base64url with points between".to_owned(),
        Reason::HeaderMalformed => "its header is not just alg, typ and kid".to_owned(),
        Reason::WrongType => format!("its typ is not {TYPE}"),
        Reason::KeyMissing => "it names no key (kid)".to_owned(),
        Reason::KeyUnknown => match seen {
            Some(seen) => format!("no key of the configuration has the kid {:?}", seen.key),
            None => "its key is not known".to_owned(),
        },
        Reason::WrongAlgorithm => "its alg is not that of its key".to_owned(),
        Reason::BadSignature => "its signature is not by its key".to_owned(),
        Reason::ClaimsMalformed => {
            "a claim is missing, there twice, or not of its type (docs/tokens.md)".to_owned()
        }
        Reason::ClaimInvalid => "a claim is out of its range (docs/tokens.md)".to_owned(),
        Reason::ForeignTenant => "its key belongs to another tenant than its iss".to_owned(),
        Reason::WrongAudience => "its aud does not name stoa".to_owned(),
        Reason::Expired => "it has expired".to_owned(),
        Reason::NotYetValid => "it is not valid yet; compare the clocks".to_owned(),
        Reason::LifetimeTooLong => "it is valid for longer than an hour, or not at all".to_owned(),
        Reason::Replayed | Reason::OnceTableFull => "it was used".to_owned(),
    };
    Failure::Running(format!("the token is not good ({}): {why}", reason.name()))
}
