//! `stoad token`: keys and join tokens for people.

mod explain;
mod files;

use std::time::{SystemTime, UNIX_EPOCH};

use stoa_token::{Claims, MintError, SigningKey, generate};
use zeroize::Zeroizing;

use crate::{
    arguments::token::{Algorithm, KeyFile, Keygen, Make, Media, Role, Token},
    exit::Failure,
};

/// Bytes of a generated secret for HS256: as long as its hash.
const SECRET_BYTES: usize = 32;

/// Runs the command.
///
/// # Errors
/// [`Failure::File`] for files; [`Failure::Running`] if a token is not good or nothing could be made.
pub(crate) fn run(command: Token) -> Result<(), Failure> {
    match command {
        Token::Keygen(arguments) => keygen(&arguments),
        Token::Make(arguments) => {
            println!("{}", make(&arguments)?);
            Ok(())
        }
        Token::Explain(arguments) => explain::run(arguments),
    }
}

fn keygen(arguments: &Keygen) -> Result<(), Failure> {
    // The name is checked before a file is made.
    let (text, yaml) = match arguments.algorithm {
        Algorithm::EdDsa => {
            let (private, public) = generate().map_err(cannot)?;
            (private, format!("public_key: {public}"))
        }
        Algorithm::Hs256 => {
            let bytes = Zeroizing::new(rand::random::<[u8; SECRET_BYTES]>());
            let mut text = Zeroizing::new(String::new());
            for byte in bytes.iter() {
                text.push_str(&format!("{byte:02x}"));
            }
            text.push('\n');
            let file = std::path::absolute(&arguments.out).map_err(cannot)?;
            (text, format!("secret_file: {}", file.display()))
        }
    };
    let tenant = stoa_core::TenantId::new("any").map_err(cannot)?;
    signing(arguments.algorithm, text.as_bytes())
        .and_then(|key| key.checking(tenant, &arguments.kid))
        .map_err(cannot)?;
    files::write_new_secret(&arguments.out, &text)?;
    let name = algorithm_name(arguments.algorithm);
    eprintln!(
        "The key is in {}. It is the signalling service's; for the tenant in the node's configuration:",
        arguments.out.display()
    );
    println!("    token_keys:");
    println!("      - kid: {}", arguments.kid);
    println!("        algorithm: {name}");
    println!("        {yaml}");
    Ok(())
}

fn make(arguments: &Make) -> Result<String, Failure> {
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).map_err(cannot)?.as_secs();
    let claims = Claims {
        iss: arguments.tenant.clone(),
        sub: arguments.participant.clone(),
        jti: format!("{:032x}", rand::random::<u128>()),
        iat: seconds,
        nbf: None,
        exp: seconds + arguments.lifetime,
        aud: None,
        room: arguments.room.clone(),
        role: role(arguments.role).to_owned(),
        publish: arguments.publish.iter().copied().map(media).collect(),
        name: arguments.name.clone(),
        once: arguments.once,
    };
    let KeyFile { key, algorithm } = &arguments.key;
    let text = stoa_secret::read(key)?;
    let wrong = |error: MintError| files::wrong(key, error);
    let signing = signing(*algorithm, &text).map_err(wrong)?;
    let token = signing.mint(&arguments.kid, &claims).map_err(cannot)?;
    // Whoever makes one by hand wants to know now, and not from a node.
    explain::check_own(&signing, &arguments.kid, &arguments.tenant, &token, now)?;
    Ok(token)
}

fn signing(algorithm: Algorithm, text: &[u8]) -> Result<SigningKey, MintError> {
    match algorithm {
        Algorithm::EdDsa => SigningKey::ed25519(text),
        Algorithm::Hs256 => SigningKey::hs256(text),
    }
}

fn cannot(error: impl std::fmt::Display) -> Failure {
    Failure::Running(error.to_string())
}

fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EdDsa => stoa_token::Algorithm::EdDsa.name(),
        Algorithm::Hs256 => stoa_token::Algorithm::Hs256.name(),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Listener => "listener",
        Role::Speaker => "speaker",
        Role::Moderator => "moderator",
    }
}

fn media(media: Media) -> String {
    match media {
        Media::Audio => "audio".to_owned(),
        Media::Music => "music".to_owned(),
    }
}
