//! Rules that the fields of messages have to keep.

use crate::{limits, problem::Problem};

/// A refusal that begins with the field's name.
pub(super) fn field(name: &str, rule: impl AsRef<str>) -> Problem {
    Problem::invalid("FIELD_INVALID", format!("{name}: {}", rule.as_ref()))
}

/// A room's name.
pub(super) fn room(room: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._~-".contains(c);
    let most = limits::MAX_ROOM_CHARS;
    if (1..=most).contains(&room.len()) && room.chars().all(plain) {
        return Ok(());
    }
    let rule = format!("1 to {most} of the characters A-Z a-z 0-9 . _ ~ -");
    Err(field("room", rule))
}

/// One line of people's own text.
pub(super) fn text(name: &str, text: &str, least: usize, most: usize) -> Result<(), Problem> {
    if (least..=most).contains(&text.chars().count())
        && (least == 0 || !text.trim().is_empty())
        && !text.chars().any(char::is_control)
    {
        return Ok(());
    }
    let rule = format!("{least} to {most} characters, not all of them blank, none a control");
    Err(field(name, rule))
}

/// A secret that a browser has made.
pub(super) fn secret(name: &str, secret: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let (least, most) = (limits::MIN_SECRET_CHARS, limits::MAX_SECRET_CHARS);
    if (least..=most).contains(&secret.len()) && secret.chars().all(plain) {
        return Ok(());
    }
    let rule = format!("{least} to {most} of the characters A-Z a-z 0-9 _ -");
    Err(field(name, rule))
}

/// A link's secret, as far as there is one.
pub(super) fn token(token: Option<&str>) -> Result<(), Problem> {
    let most = limits::MAX_SECRET_CHARS;
    match token {
        Some(token) if token.is_empty() || token.len() > most => {
            Err(field("token", format!("1 to {most} bytes")))
        }
        _ => Ok(()),
    }
}

/// An invitation's code. One that no invitation can have is told from a wrong one by nothing.
pub(super) fn code(code: &str) -> Result<(), Problem> {
    let most = limits::MAX_SECRET_CHARS;
    if (1..=most).contains(&code.len()) {
        return Ok(());
    }
    Err(field("code", format!("1 to {most} bytes")))
}

/// How many of something.
pub(super) fn number(name: &str, number: u32, least: u32, most: u32) -> Result<(), Problem> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    Err(field(name, format!("{least} to {most}")))
}

/// A participant's id.
pub(super) fn id(id: &str) -> Result<(), Problem> {
    let most = limits::MAX_ID_CHARS;
    if (1..=most).contains(&id.len()) && id.is_ascii() {
        return Ok(());
    }
    Err(field("id", format!("1 to {most} characters")))
}

/// An ICE candidate.
pub(super) fn candidate(candidate: &str) -> Result<(), Problem> {
    let most = limits::MAX_CANDIDATE_BYTES;
    if candidate.len() > most || candidate.chars().any(char::is_control) {
        let rule = format!("one line of at most {most} bytes");
        return Err(field("candidate", rule));
    }
    Ok(())
}
