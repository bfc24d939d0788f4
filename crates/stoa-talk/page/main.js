// Ties the views to the visit.

import * as address from "./address.js";
import { look } from "./door.js";
import { EntranceView } from "./entrance.js";
import { showTo } from "./hook.js";
import { isKept, recall, remember } from "./identity.js";
import { Invites } from "./invites.js";
import { JoinView } from "./join_view.js";
import { RoomView } from "./room_view.js";
import { announce, sayNews, toast } from "./speak.js";
import { refusal, restartAhead } from "./texts.js";
import { Visit } from "./visit.js";

let visit = null;
let wanted = null; // { room, name, token, create } of the last attempt
let joining = false;

const joinView = new JoinView({
  join: (form) => join(form),
  retry: () => wanted && enter(wanted),
  listenOnly: () => wanted && enter(wanted, { withoutMicrophone: true }),
});
const roomView = new RoomView({
  mute: () => visit?.toggleMute(),
  hand: (raised) => visit?.call.ask({ type: "raise_hand", raised }),
  accept: () => visit?.accept(),
  decline: () => visit?.call.ask({ type: "answer_invitation", accepted: false }),
  ask: (message) => visit?.call.ask(message),
  link: (token) => address.link(wanted.room, token),
  leave,
  again: () => visit?.again(),
  enableSound,
});

const invites = new Invites();
const entranceView = new EntranceView({
  admitted() {
    address.forgetInvitation();
    showDoor(address.room);
  },
  banned: (problem) => joinView.showEnd(refusal(problem), { banned: true }),
});

/** The form says a name, and a title and a kind where a room is to be made. */
function join({ name, title, kind }) {
  remember("name", name);
  const create = kind && { title, open: kind === "open", newcomers: kind === "open" ? "speaker" : "listener" };
  const room = create ? address.newRoomName(title) : address.room;
  enter({ room, name, token: create ? null : address.token, create });
}

async function enter(whereto, how) {
  if (joining) return;
  joining = true;
  wanted = whereto;
  joinView.setJoining(true);
  visit = new Visit(whereto, { processing: address.processing, on: listeners });
  try {
    await visit.start(how);
  } finally {
    joining = false;
    joinView.setJoining(false);
  }
}

const listeners = {
  entering() {
    // Not before it is known that the name and the link hold: see `news`.
    if (joinView.isShown) roomView.show({ title: wanted.create?.title ?? joinView.title ?? wanted.room });
    joinView.hide();
    roomView.hideNotice();
    refresh();
  },
  change: refresh,
  levels: () => roomView.updateLevels(visit.call),
  news(kind, person) {
    if (kind === "entered") {
      address.show(wanted.room, { keepToken: !isKept });
      wanted.create = undefined;
    }
    sayNews(kind, person, visit.call);
  },
  answer: (message) => roomView.answer(message),
  restart: (restart) => toast(restartAhead(restart)),
  refused: (problem) => toast(refusal(problem)),
  blocked: () => roomView.notice({ text: "Your browser has held back the sound.", action: "Enable sound", does: "enableSound" }),
  microphone(problem) {
    if (visit.call) {
      toast(`${problem.title}. ${problem.steps[0] ?? ""}`);
      return;
    }
    joinView.setJoining(false); // so that the button to try again can have the focus
    joinView.showProblem(problem);
  },
  microphoneEnded: () => toast("Your microphone has stopped. Unmute to use another one."),
  reconnecting(text) {
    refresh();
    roomView.notice({ text: `${text} Reconnecting…`, action: "Rejoin now", does: "again", quiet: true });
  },
  ended(ending) {
    if (ending.final) {
      visit = null;
      roomView.hide();
      joinView.showEnd(ending.text, ending);
      return;
    }
    refresh();
    roomView.notice({ text: ending.text, action: ending.action ?? "Rejoin", does: "again" });
  },
};

async function enableSound() {
  try {
    await visit.call.enableSound();
    roomView.hideNotice();
  } catch {
    // The notice stays: the next click may do.
  }
}

function leave() {
  visit?.leave();
  visit = null;
  roomView.hide();
  announce("You have left the room.");
  showDoor(wanted.room);
}

function refresh() {
  if (visit?.call) roomView.update(visit.call);
}

/** The form: for a new room, or for one that the address names. */
async function showDoor(room) {
  const name = recall("name");
  joinView.show({ name, room });
  const looked = await look({ room: room ?? address.newRoomName(""), token: address.token });
  if (visit !== null) return;
  const reason = looked?.problem?.reason;
  if (reason === "ADMISSION_REQUIRED") {
    joinView.hide();
    entranceView.open({ name, code: null });
  } else if (reason === "BANNED") {
    joinView.showEnd(refusal(looked.problem), { banned: true });
  } else {
    joinView.showLooked(looked, room);
    invites.refresh();
  }
}

showTo(window, () => visit?.call ?? null);
if (address.invitation === null) showDoor(address.room);
else entranceView.open({ name: recall("name"), code: address.invitation });
