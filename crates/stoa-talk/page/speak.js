// Telling people what happens: to screen readers, and in a line that goes away.

const TOGETHER_MS = 400;
const TOAST_MS = 6000;
const QUIET_FROM = 13; // people: whoever comes and goes is told in small rooms only

const pending = [];
let toastTimer;

/** Tells screen readers; what comes together is told together. */
export function announce(text) {
  if (pending.push(text) > 1) return;
  setTimeout(() => {
    document.getElementById("announcements").textContent = pending.splice(0).join(" ");
  }, TOGETHER_MS);
}

/** Shows a line for a while, and tells screen readers. */
export function toast(text) {
  const line = document.getElementById("toast");
  line.textContent = text;
  line.hidden = false;
  announce(text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    line.hidden = true;
    line.textContent = "";
  }, TOAST_MS);
}

const OF_YOU = {
  promoted: "You are on the stage now: you can be heard.",
  demoted: "You are in the audience now. Your microphone is off.",
  moderating: "You are a moderator now.",
  not_moderating: "You are not a moderator any more.",
  muted_by_moderator: "A moderator has muted you.",
  unmuted_by_moderator: "A moderator has ended your mute. Your microphone stays off until you unmute.",
  hand_raised: "Your hand is up. Moderators see it.",
  hand_lowered: "Your hand is down.",
  invited: "You are invited to speak.",
  not_invited: "The invitation to speak is over.",
};
const SHOWN_TOO = new Set(["promoted", "demoted", "moderating", "muted_by_moderator", "unmuted_by_moderator"]);
const OF_OTHERS = {
  promoted: "is on the stage.",
  demoted: "has left the stage.",
  moderating: "is a moderator now.",
};
const FOR_MODERATORS = { hand_raised: "raises a hand.", not_invited: "does not come to the stage." };

/** Tells what has happened to somebody, as far as it concerns this person. */
export function sayNews(kind, person, call) {
  if (person.id === call.own?.id) {
    if (kind === "entered") announce(`You are in the room, as ${person.role === "listener" ? "a listener" : `a ${person.role}`}.`);
    else if (OF_YOU[kind]) (SHOWN_TOO.has(kind) ? toast : announce)(OF_YOU[kind]);
    return;
  }
  if (kind === "joined" || kind === "left") {
    if (call.people.size < QUIET_FROM) announce(`${person.name} ${kind}.`);
  } else if (OF_OTHERS[kind]) {
    announce(`${person.name} ${OF_OTHERS[kind]}`);
  } else if (FOR_MODERATORS[kind] && call.own?.role === "moderator") {
    announce(`${person.name} ${FOR_MODERATORS[kind]}`);
  }
}
