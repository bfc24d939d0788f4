//! Every limit of this service, by name. What happens at each is said with it.

use std::time::Duration;

/// WebSockets at one time. One more is answered with 503.
pub(crate) const MAX_SOCKETS: usize = 4096;

/// Bytes of one message from a browser. A longer one is answered with MESSAGE_TOO_LARGE. An offer
/// of 64 KiB, the most that Stoa takes, fits with its line ends escaped.
pub(crate) const MAX_MESSAGE_BYTES: usize = 128 * 1024;

/// Bytes of one message from a browser that are read at all. A longer one ends the socket.
pub(crate) const MAX_FRAME_BYTES: usize = 2 * MAX_MESSAGE_BYTES;

/// Bytes of a question over HTTP. A longer one is refused with MESSAGE_INVALID.
pub(crate) const MAX_LOOK_BYTES: usize = 4 * 1024;

/// Characters of a room's name. Stoa allows twice as many, but people read and type these.
pub(crate) const MAX_ROOM_CHARS: usize = 64;

/// Characters of a display name. Four bytes for each are within Stoa's 256.
pub(crate) const MAX_NAME_CHARS: usize = 64;

/// Characters of a room's title.
pub(crate) const MAX_TITLE_CHARS: usize = 80;

/// Characters of what a moderator calls a link.
pub(crate) const MAX_LABEL_CHARS: usize = 60;

/// Characters of a browser's or window's secret, at least: 128 bits in base64.
pub(crate) const MIN_SECRET_CHARS: usize = 22;

/// Characters of a secret of any kind, at most.
pub(crate) const MAX_SECRET_CHARS: usize = 128;

/// Characters of a link's secret, five bits each.
pub(crate) const TOKEN_CHARS: usize = 26;

/// Characters of a participant's id, as in Stoa's own contract.
pub(crate) const MAX_ID_CHARS: usize = 128;

/// Bytes of an SDP offer, as in Stoa's own contract.
pub(crate) const MAX_SDP_BYTES: usize = 64 * 1024;

/// Bytes of one ICE candidate line. What browsers write has less than 300.
pub(crate) const MAX_CANDIDATE_BYTES: usize = 1024;

/// Rooms that the database remembers. When there are more, one more is refused with
/// ROOM_LIMIT_REACHED.
pub(crate) const MAX_ROOMS: i64 = 10_000;

/// How long a room is remembered into which nobody comes.
pub(crate) const ROOM_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// People whom one room remembers. When there are more, those are forgotten who have been away
/// longest, [`FORGOTTEN_AT_ONCE`] at a time; moderators and those who were removed are not. Where
/// nobody is left to forget, newcomers are refused with PEOPLE_LIMIT_REACHED.
pub(crate) const MAX_PEOPLE_PER_ROOM: i64 = 20_000;

/// How many more people are forgotten when one has to be.
pub(crate) const FORGOTTEN_AT_ONCE: usize = 200;

/// Links of one room. One more is refused with LINK_LIMIT_REACHED.
pub(crate) const MAX_LINKS_PER_ROOM: usize = 50;

/// People whom a moderator is shown as removed: the latest.
pub(crate) const MAX_REMOVED_LISTED: usize = 200;

/// People whom one person can silence, as in Stoa's own contract. One more is refused with
/// SILENCE_LIMIT_REACHED.
pub(crate) const MAX_SILENCED: usize = 64;

/// People whom the service knows. When there are more, those are forgotten who came while everybody
/// could, invited nobody and have been away longest, [`FORGOTTEN_AT_ONCE`] at a time; where nobody is
/// left to forget, newcomers are refused with MEMBER_LIMIT_REACHED.
pub(crate) const MAX_MEMBERS: i64 = 200_000;

/// People on the waiting list. One more is refused with WAITING_LIST_FULL.
pub(crate) const MAX_WAITING: i64 = 10_000;

/// Waves. One more is refused with WAVE_LIMIT_REACHED.
pub(crate) const MAX_WAVES: i64 = 100;

/// Invitations of one wave that the administrator makes; more are refused with FIELD_INVALID.
pub(crate) const MAX_INVITATIONS_PER_WAVE: u32 = 500;

/// Invitations that the service keeps. One more is refused with INVITATION_LIMIT_REACHED.
pub(crate) const MAX_INVITATIONS: i64 = 200_000;

/// People whom one invitation lets in; more are refused with FIELD_INVALID.
pub(crate) const MAX_PLACES: u32 = 10_000;

/// People whom each who comes in with a wave may invite; more are refused with FIELD_INVALID.
pub(crate) const MAX_INVITES: u32 = 100;

/// People or invitations that an administrator is shown in one list.
pub(crate) const MAX_LISTED: u32 = 200;

/// Bytes of a question to the entrance or of an administrator, over HTTP.
pub(crate) const MAX_ENTRANCE_BYTES: usize = 4 * 1024;

/// Wrong codes or keys that may come from one source at once, before [`WRONG_CODE_INTERVAL`] applies.
pub(crate) const WRONG_CODE_BURST: u32 = 10;

/// The average pause between a source's wrong codes beyond the burst. Whatever comes faster is
/// refused with TOO_MANY_CODES and not looked at, be it right or wrong.
pub(crate) const WRONG_CODE_INTERVAL: Duration = Duration::from_secs(30);

/// People who may come to the waiting list from one source at once: those of one office.
pub(crate) const WAITING_BURST: u32 = 20;

/// The average pause between a source's newcomers to the waiting list beyond the burst. Faster ones
/// are refused with TOO_MANY_REQUESTS.
pub(crate) const WAITING_INTERVAL: Duration = Duration::from_secs(60);

/// Sources whose tries are counted one by one. When there are more, the rest counts as one source.
pub(crate) const MAX_SOURCES: usize = 10_000;

/// Transactions that wait for the database. Sockets wait when it is full; each has one under way
/// at most.
pub(crate) const STORE_QUEUE: usize = 64;

/// How long the database may be locked by another program before a transaction fails.
pub(crate) const DATABASE_LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a join is tried again because the same person's former session was still there.
pub(crate) const TAKE_OVER_ATTEMPTS: usize = 3;

/// Messages that a browser may send at once, before [`MESSAGE_INTERVAL`] applies.
pub(crate) const MESSAGE_BURST: u32 = 60;

/// The average pause between a browser's messages beyond the burst. Faster ones are answered with
/// TOO_MANY_MESSAGES and not looked at.
pub(crate) const MESSAGE_INTERVAL: Duration = Duration::from_millis(100);

/// Messages that wait for one browser. When there are more, that browser is too slow and its
/// socket ends, so that it holds nobody else up.
pub(crate) const SOCKET_QUEUE: usize = 256;

/// Commands that wait for one room's hub. Sockets wait when it is full; each has one command under
/// way at most.
pub(crate) const HUB_QUEUE: usize = 64;

/// Events of Stoa that wait for one room's hub. When it is full, the stream is not read, and Stoa's
/// own flow control holds it.
pub(crate) const EVENT_QUEUE: usize = 64;

/// How often a browser is sent a ping.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(15);

/// A browser from which nothing came for this long, not even a pong, is taken for gone.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(45);

/// A socket that has not asked to join by then is closed.
pub(crate) const JOIN_TIMEOUT: Duration = Duration::from_secs(30);

/// How long saying goodbye to a browser may take.
pub(crate) const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a new room's hub waits for the first description of the room.
pub(crate) const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause before a broken event stream is opened again; it doubles with every failure in a row.
pub(crate) const WATCH_BACKOFF_MIN: Duration = Duration::from_millis(250);

/// The longest such pause.
pub(crate) const WATCH_BACKOFF_MAX: Duration = Duration::from_secs(5);

/// How long the end of the service waits for sockets and rooms to be closed properly.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

const _: () = assert!(MAX_MESSAGE_BYTES > MAX_SDP_BYTES + MAX_SDP_BYTES / 2);
const _: () = assert!(MAX_NAME_CHARS * 4 <= 256);
const _: () = assert!(IDLE_TIMEOUT.as_secs() >= 3 * PING_INTERVAL.as_secs());
