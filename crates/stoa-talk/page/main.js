// Ties the views to the call, and shows its state to whoever tests the page.

import { Call } from "./call.js";
import { MicrophoneProblem, openMicrophone } from "./microphone.js";
import { View } from "./view.js";

const parameters = new URLSearchParams(location.search);
// ?ec=0 leaves the microphone's sound as it is: tests send pure tones.
const processing = parameters.get("ec") !== "0";

let call = null;
let wanted = null; // { name, room } of the last attempt
let joining = false;
let onNotice = () => {};

const view = new View({
  join: (whom) => join(whom),
  retry: () => wanted && join(wanted),
  mute: () => call && !ended() && call.setMuted(!call.muted),
  leave,
  notice: () => onNotice(),
});

async function join(whom) {
  if (joining) return;
  joining = true;
  wanted = whom;
  remember("name", whom.name);
  view.setJoining(true);
  const microphone = await openMicrophone({ processing }).catch((problem) => problem);
  joining = false;
  view.setJoining(false);
  if (microphone instanceof MicrophoneProblem) view.showProblem(microphone);
  else enter(whom, microphone);
}

function enter({ name, room }, microphone) {
  // A former call's last words are not listened to.
  const own = new Call({ room, name, microphone, on: listeners(() => call === own) });
  call = own;
  const link = new URL("/", location.href);
  link.searchParams.set("room", room);
  parameters.set("room", room);
  history.replaceState(null, "", `?${parameters}`);
  view.showRoom({ room, link: link.href });
  refresh();
  own.start();
}

function listeners(isPresent) {
  const ifPresent = (action) => (...details) => {
    if (isPresent()) action(...details);
  };
  return {
    change: ifPresent(refresh),
    levels: ifPresent(() => view.updateLevels(people())),
    news: ifPresent((kind, person) => view.announce(`${person.name} ${kind}.`)),
    blocked: ifPresent(() => notice("Your browser has held back the sound.", "Enable sound", enableSound)),
    ended: ifPresent((text) => {
      refresh();
      notice(text, "Rejoin", () => join(wanted));
    }),
  };
}

async function enableSound() {
  try {
    await call.enableSound();
    view.hideNotice();
  } catch {
    // The notice stays: the next click may do.
  }
}

function notice(text, action, handler) {
  onNotice = handler;
  view.showNotice(text, action);
}

function leave() {
  call?.leave();
  call = null;
  view.showJoin(wanted);
}

function ended() {
  return call.connection === "failed" || call.connection === "closed";
}

function people() {
  return [...(call?.participants.values() ?? [])];
}

function refresh() {
  const { connection, you, muted } = call;
  view.update({ connection, people: ended() ? [] : people(), youId: you?.id, muted });
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the name is typed again next time.
  }
}

function recall(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** A room that nobody guesses: the link is the invitation. */
function newRoom() {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  const random = crypto.getRandomValues(new Uint8Array(12));
  const chosen = [...random].map((byte) => letters[byte % letters.length]).join("");
  return chosen.replace(/(....)(?=.)/g, "$1-");
}

// Browser tests read here what the page knows and hears. Every value is a copy; nothing can be set.
Object.defineProperty(window, "stoaTalk", {
  value: Object.freeze({
    /** { id, name, csrc, muted } or null. */
    get you() {
      const own = call?.you && call.participants.get(call.you.id);
      return own ? { id: own.id, name: own.name, csrc: own.csrc, muted: call.muted } : null;
    },
    /** [{ id, name, csrc, connected, muted, speaking }] of everybody, the page itself included. */
    get participants() {
      return people().map(({ id, name, csrc, connected, muted, speaking }) => (
        { id, name, csrc, connected, muted, speaking }));
    },
    /** [{ mid, csrcs, dominantFrequencyHz, level }]: what each track carries now. The level is in dB
     *  below full scale, the frequency null in silence, the CSRC heard last comes first. */
    get tracks() {
      return (call?.tracks ?? []).map(({ mid, csrcs, dominantFrequencyHz, level }) => (
        { mid, csrcs, dominantFrequencyHz, level }));
    },
    /** "idle", "connecting", "connected", "reconnecting", "failed" or "closed". */
    get connection() {
      return call?.connection ?? "idle";
    },
  }),
});

view.showJoin({ name: recall("name"), room: parameters.get("room") ?? newRoom() });
