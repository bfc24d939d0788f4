// What people are told when something ends or is refused.

/** Why a call ended. `again`: coming back by itself makes sense; `banned`: nor does going elsewhere. */
const ENDINGS = {
  removed: { text: "You were removed from the room." },
  removed_by_moderator: { text: "A moderator has removed you from the room.", final: true },
  taken_over: { text: "You have opened this room in another window. This one is silent now.", action: "Use this window" },
  banned: { text: "You were banned from this service.", final: true, banned: true },
  room_ended: { text: "A moderator has ended the room for everybody.", final: true },
  room_closed: { text: "The room was closed.", again: true },
  ice_timeout: { text: "Your connection was silent for too long.", again: true },
  connect_timeout: { text: "The audio connection could not be made. A firewall may block UDP." },
  client_closed: { text: "The audio connection was closed.", again: true },
  media_error: { text: "The audio connection met a fault." },
  internal_fault: { text: "The media server met a fault.", again: true },
  node_shutdown: { text: "The media server is shutting down.", again: true },
  shutting_down: { text: "The service is restarting.", again: true },
  too_slow: { text: "Your connection could not keep up.", again: true },
  idle: { text: "Your connection was silent for too long.", again: true },
  connection_lost: { text: "The connection to the service was lost.", again: true },
  media_failed: { text: "The audio connection was lost.", again: true },
  unreachable: { text: "The service cannot be reached.", again: true },
  join_timeout: { text: "The service did not answer in time.", again: true },
};

const REFUSALS = {
  STOA_UNREACHABLE: "The media server cannot be reached at the moment.",
  NODE_DRAINING: "The media server is about to restart. Try again in a minute.",
  NODE_OVERLOADED: "The media server is overloaded. Try again in a moment.",
  NODE_SATURATED: "This server is full. Try again when somebody has left.",
  ROOM_LIMIT_REACHED: "There are as many rooms as there may be.",
  PARTICIPANT_LIMIT_REACHED: "The room is full.",
  PEOPLE_LIMIT_REACHED: "The room is full.",
  INVITATION_REQUIRED: "This room is entered by an invite link. Ask a moderator for one.",
  INVITATION_INVALID: "This invite link does not hold, or not any more. Ask for a new one.",
  INVITATION_USED: "This invite link was for one person, who has used it. Ask for a new one.",
  ADMISSION_REQUIRED: "This service is open to invited people for now.",
  BANNED: "You were banned from this service.",
  CODE_INVALID: "This code does not hold: it may be mistyped, used up, taken back, or not open yet.",
  TOO_MANY_CODES: "Too many wrong codes came from your network. Wait a few minutes, then try again.",
  TOO_MANY_REQUESTS: "Too many people came from your network at once. Try again in a minute.",
  WAITING_LIST_FULL: "The waiting list is full. Try again another day.",
  MEMBER_LIMIT_REACHED: "This service knows as many people as it may.",
  NO_INVITES_LEFT: "You have no invitations left for so many people.",
  INVITATION_LIMIT_REACHED: "There are as many invitations as there may be.",
  INVITATION_NOT_FOUND: "This invitation is revoked already.",
  UNREACHABLE: "The service cannot be reached. Try again in a moment.",
  REMOVED: "A moderator has removed you from this room.",
  OPEN_ROOMS_OFF: "On this service, rooms are entered by invite links only.",
  ROOM_EXISTS: "There is a room of this name. Choose another one.",
  NOT_MODERATOR: "Only moderators can do this.",
  TARGET_IS_CREATOR: "Nobody can take anything away from the person who made the room.",
  ONLY_MODERATOR: "You are the only moderator. Make somebody else a moderator first.",
  NOT_ON_STAGE: "They are in the audience. Invite them to speak first.",
  ON_STAGE: "They may speak already.",
  NOT_INVITED: "The invitation was taken back.",
  PERSON_NOT_FOUND: "They are not here any more.",
  LINK_NOT_FOUND: "This link is revoked already.",
  LINK_LIMIT_REACHED: "There are as many links as there may be. Revoke one first.",
  MUTE_LIMIT_REACHED: "The room remembers as many mutes as it may.",
  SILENCE_LIMIT_REACHED: "You do not hear as many people as you may not hear.",
  SUBSCRIPTION_LIMIT_REACHED: "Too many different choices of whom to hear in this room. Try again later.",
  DATABASE_FAILED: "The service has a fault of its own. Try again in a moment.",
  TOO_MANY_MESSAGES: "That was a lot at once. Try again in a moment.",
};

/** Refusals after which trying again changes nothing. */
const FINAL = new Set([
  "INVITATION_REQUIRED", "INVITATION_INVALID", "INVITATION_USED", "REMOVED", "OPEN_ROOMS_OFF", "ROOM_EXISTS",
  "ADMISSION_REQUIRED", "BANNED",
]);

/** The ending of this reason: { text, again, final, action }. */
export function ending(reason) {
  return ENDINGS[reason] ?? { text: "The call has ended." };
}

/** What a refusal says to people. */
export function refusal({ reason, message }) {
  return REFUSALS[reason] ?? `The service refused: ${message}.`;
}

/** The ending that a refused join is. */
export function refusedJoin(problem) {
  const { reason, code } = problem;
  return { text: refusal(problem), final: FINAL.has(reason), banned: reason === "BANNED", again: code === "UNAVAILABLE" };
}

export const ROLES = { listener: "Listener", speaker: "Speaker", moderator: "Moderator" };

/** What is told of a restart of the media server; `at` is in milliseconds since 1970, null where nobody knows. */
export function restartAhead({ expected, at }) {
  if (!expected) return "The media server goes on: it does not restart after all.";
  const time = at && new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const when = time ? `at ${time} at the latest` : "soon";
  return `The media server restarts ${when}. You will be reconnected by itself.`;
}
