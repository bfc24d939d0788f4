//! `stoad rooms`, `participants` and `kick`: what somebody at a terminal wants of a running node, by its public API.

use std::{fs, io::Write as _};

use serde_json::{Value, json};
use stoa_client::{
    Client, ClientConfig, Credential, TrustAnchors, reason,
    v1::{
        ConnectionQuality, ConnectionState, GetRoomRequest, ListRoomsRequest, Participant,
        RemoveParticipantRequest, Role, Room, SpeakPolicy,
    },
};
use tonic::Status;

use crate::{
    arguments::rooms::{Control, Kick, Participants, Rooms},
    exit::Failure,
};

/// How many rooms are asked for at a time.
const PAGE: i32 = 500;

/// Lists the rooms of the key's tenant.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn rooms(arguments: Rooms) -> Result<(), Failure> {
    let client = connect(&arguments.control).await?;
    let mut rows = Rows::new(
        arguments.json,
        ["ROOM", "PARTICIPANTS", "SLOTS", "MAY SPEAK", "CREATED"],
    );
    let mut request = ListRoomsRequest {
        page_size: PAGE,
        ..ListRoomsRequest::default()
    };
    loop {
        let page = client.rooms().list_rooms(request.clone()).await;
        let page = page.map_err(refused)?.into_inner();
        page.rooms.iter().map(of_room).for_each(|row| rows.add(row));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    client.close().await;
    rows.print();
    Ok(())
}

/// Lists who is in a room.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn participants(arguments: Participants) -> Result<(), Failure> {
    let client = connect(&arguments.control).await?;
    let request = GetRoomRequest {
        room_id: arguments.room,
    };
    let room = client.rooms().get_room(request).await;
    let room = room.map_err(refused)?.into_inner();
    client.close().await;
    let mut rows = Rows::new(
        arguments.json,
        [
            "PARTICIPANT",
            "ROLE",
            "STATE",
            "MUTED BY",
            "QUALITY",
            "JOINED",
        ],
    );
    let each = room.participants.iter().map(of_participant);
    each.for_each(|row| rows.add(row));
    rows.print();
    Ok(())
}

/// Puts somebody out of a room.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn kick(arguments: Kick) -> Result<(), Failure> {
    let client = connect(&arguments.control).await?;
    let request = RemoveParticipantRequest {
        room_id: arguments.room.clone(),
        participant_id: arguments.participant.clone(),
        ..RemoveParticipantRequest::default()
    };
    let removed = client.rooms().remove_participant(request).await;
    removed.map_err(refused)?;
    client.close().await;
    let Kick {
        room, participant, ..
    } = arguments;
    eprintln!("{participant} is out of {room}");
    Ok(())
}

/// Connects to a node.
///
/// # Errors
/// [`Failure::File`], [`Failure::Unreachable`].
pub(crate) async fn connect(control: &Control) -> Result<Client, Failure> {
    let ca = &control.ca;
    let anchors = fs::read(ca).map_err(|error| Failure::File {
        path: ca.clone(),
        reason: error.to_string(),
    })?;
    let mut config = ClientConfig::new(
        &control.target,
        TrustAnchors::Pem(anchors),
        Credential::ApiKey(stoa_secret::read_first_line(&control.api_key_file)?),
    );
    config.server_name.clone_from(&control.server_name);
    let client = Client::connect(config).await;
    client.map_err(|error| Failure::Unreachable(format!("{}: {error}", control.target)))
}

/// A call that failed.
pub(crate) fn refused(status: Status) -> Failure {
    let message = status.message();
    Failure::Running(match reason(&status) {
        Some(reason) => format!("{}: {message}", reason.as_str_name()),
        None => format!("{}: {message}", stoa_client::code_name(status.code())),
    })
}

/// A row: what stands in the table, and the same for machines.
type Row = (Vec<String>, Value);

fn of_room(room: &Room) -> Row {
    let policy = name(
        SpeakPolicy::try_from(room.speak_policy).map(|p| p.as_str_name()),
        "SPEAK_POLICY_",
    );
    let created = room.create_time.as_ref().map(ToString::to_string);
    let row = vec![
        room.room_id.clone(),
        room.participant_count.to_string(),
        room.audio_slots.to_string(),
        policy.clone(),
        created.clone().unwrap_or_default(),
    ];
    let value = json!({
        "room_id": room.room_id,
        "participant_count": room.participant_count,
        "audio_slots": room.audio_slots,
        "speak_policy": policy,
        "create_time": created,
        "revision": room.revision,
        "max_participants": room.max_participants,
        "metadata": room.metadata,
    });
    (row, value)
}

fn of_participant(participant: &Participant) -> Row {
    let role = name(
        Role::try_from(participant.role).map(|r| r.as_str_name()),
        "ROLE_",
    );
    let state = ConnectionState::try_from(participant.state).map(|state| state.as_str_name());
    let state = name(state, "CONNECTION_STATE_");
    let quality = ConnectionQuality::try_from(participant.connection_quality);
    let quality = name(
        quality.map(|quality| quality.as_str_name()),
        "CONNECTION_QUALITY_",
    );
    let mutes = [
        (participant.muted_by_moderator, "moderator"),
        (participant.muted_by_participant, "themselves"),
    ];
    let mutes: Vec<&str> = mutes
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, by)| *by)
        .collect();
    let joined = participant.join_time.as_ref().map(ToString::to_string);
    // Not what they are called: that is anybody's text, and this is a terminal.
    let row = vec![
        participant.participant_id.clone(),
        role.clone(),
        state.clone(),
        mutes.join(", "),
        quality.clone(),
        joined.clone().unwrap_or_default(),
    ];
    let value = json!({
        "participant_id": participant.participant_id,
        "session_id": participant.session_id,
        "display_name": participant.display_name,
        "role": role,
        "state": state,
        "muted_by_moderator": participant.muted_by_moderator,
        "muted_by_participant": participant.muted_by_participant,
        "connection_quality": quality,
        "join_time": joined,
        "csrc": participant.csrc,
        "metadata": participant.metadata,
    });
    (row, value)
}

/// A value of an enumeration without what all of its values begin with, in small letters.
fn name<E>(value: Result<&'static str, E>, prefix: &str) -> String {
    let name = value.unwrap_or("UNSPECIFIED");
    let bare = name.strip_prefix(prefix).unwrap_or(name);
    match bare {
        "UNSPECIFIED" => String::new(),
        bare => bare.to_ascii_lowercase(),
    }
}

/// What is printed.
struct Rows {
    json: bool,
    lines: Vec<Vec<String>>,
    values: Vec<Value>,
}

impl Rows {
    fn new<const N: usize>(json: bool, heads: [&str; N]) -> Self {
        Self {
            json,
            lines: vec![heads.map(str::to_owned).to_vec()],
            values: Vec::new(),
        }
    }

    fn add(&mut self, (line, value): Row) {
        self.lines.push(line);
        self.values.push(value);
    }

    fn text(&self) -> String {
        if self.json {
            let lines = self.values.iter().map(|value| format!("{value}\n"));
            return lines.collect();
        }
        let columns = self.lines.first().map_or(0, Vec::len);
        let width = |column: usize| self.lines.iter().map(|line| line[column].len()).max();
        let widths: Vec<usize> = (0..columns).filter_map(width).collect();
        let line = |line: &Vec<String>| {
            let cells = line.iter().zip(&widths);
            let padded: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            format!("{}\n", padded.join("  ").trim_end())
        };
        self.lines.iter().map(line).collect()
    }

    /// On the standard output; where nobody reads it any more, it is not said.
    fn print(&self) {
        let _ = std::io::stdout().write_all(self.text().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let mut rows = Rows::new(false, ["ROOM", "SLOTS"]);
        assert_eq!(rows.text(), "ROOM  SLOTS\n");
        rows.add((
            vec!["a-long-name".to_owned(), "3".to_owned()],
            json!({"slots": 3}),
        ));
        assert_eq!(rows.text(), "ROOM         SLOTS\na-long-name  3\n");
        rows.json = true;
        assert_eq!(rows.text(), "{\"slots\":3}\n");
    }

    #[test]
    fn values_are_called_what_they_are() {
        let role = |role: i32| name(Role::try_from(role).map(|role| role.as_str_name()), "ROLE_");
        assert_eq!(role(Role::Speaker.into()), "speaker");
        assert_eq!((role(0), role(99)), (String::new(), String::new()));
    }
}
