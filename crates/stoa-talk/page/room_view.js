// The room. Knows nothing about calls but their state; tells by callbacks what was chosen.

import { Audience } from "./audience.js";
import { $, setData, setText } from "./dom.js";
import { PersonDialog } from "./person_dialog.js";
import { RoomDialog } from "./room_dialog.js";
import { Stage } from "./stage.js";

const STATUS = {
  connecting: "Connecting…",
  connected: "Connected",
  reconnecting: "Reconnecting…",
  failed: "Disconnected",
};

/**
 * `on` has mute(), hand(raised), accept(), decline(), leave(), again(), enableSound(), ask(message)
 * and link(token).
 */
export class RoomView {
  #on;
  #stage;
  #audience;
  #person;
  #room;
  #noticeDoes = null;
  #call = null;
  #drawing = false;

  constructor(on) {
    this.#on = on;
    this.#person = new PersonDialog(on.ask);
    this.#room = new RoomDialog(on);
    const open = (id) => this.#call && this.#person.open(id, this.#call);
    this.#stage = new Stage(open);
    this.#audience = new Audience({
      open,
      invite: (id) => on.ask({ type: "invite", id, invited: true }),
      lower: (id) => on.ask({ type: "lower_hand", id }),
    });
    $("mute").addEventListener("click", () => on.mute());
    $("hand").addEventListener("click", () => on.hand($("hand").getAttribute("aria-pressed") !== "true"));
    $("step-down").addEventListener("click", () => on.ask({ type: "step_down" }));
    $("invite").addEventListener("click", () => this.#openRoomDialog());
    $("leave").addEventListener("click", () => on.leave());
    $("accept").addEventListener("click", () => on.accept());
    $("decline").addEventListener("click", () => on.decline());
    $("notice-action").addEventListener("click", () => on[this.#noticeDoes]?.());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  show({ title }) {
    this.#stage.clear();
    this.#audience.clear();
    setText($("room-title"), title);
    $("room-view").hidden = false;
    document.title = `${title} · Stoa talk`;
    document.querySelector("#room-view h1").focus();
  }

  hide() {
    this.#call = null;
    $("room-view").hidden = true;
    $("status").hidden = true;
    for (const id of ["person-dialog", "room-dialog"]) $(id).close();
    this.hideNotice();
  }

  /** A message with one button, above the people. A quiet one does not take the focus. */
  notice({ text, action, does, quiet = false }) {
    this.#noticeDoes = does;
    setText($("notice-text"), text);
    setText($("notice-action"), action);
    $("notice").hidden = false;
    if (!quiet) $("notice-action").focus();
  }

  hideNotice() {
    $("notice").hidden = true;
  }

  answer(message) {
    this.#room.answer(message);
  }

  /** The call's people and connection have changed. What comes together is drawn together. */
  update(call) {
    this.#call = call;
    if (this.#drawing) return;
    this.#drawing = true;
    // A hidden page has no frames, but is read by tests and assistive technology all the same.
    const draw = () => {
      this.#drawing = false;
      if (this.#call) this.#draw(this.#call);
    };
    if (document.hidden) setTimeout(draw);
    else requestAnimationFrame(draw);
  }

  /** Levels only: nobody comes or goes. */
  updateLevels(call) {
    this.#stage.updateLevels(call);
  }

  #draw(call) {
    const { connection, own, silenced, isOver } = call;
    const focused = document.activeElement;
    setData($("status"), "connection", connection);
    setText($("status-text"), STATUS[connection] ?? "");
    $("status").hidden = !(connection in STATUS);
    if (call.room.title) {
      setText($("room-title"), call.room.title);
      document.title = `${call.room.title} · Stoa talk`;
    }
    const people = isOver ? [] : [...call.people];
    const onStage = people.filter(({ role }) => role !== "listener");
    const listening = people.filter(({ role }) => role === "listener");
    this.#stage.update(onStage, { own, silenced, dominant: call.people.dominant });
    this.#audience.update(listening, own);
    setText($("head-count"), headCount(people.length, own));
    this.#drawControls(call, own);
    this.#person.update(call);
    keepFocus(focused);
  }

  #drawControls(call, own) {
    const speaks = own !== null && own.role !== "listener";
    const isModerator = own?.role === "moderator";
    const gagged = Boolean(own?.muted_by_moderator);
    $("mute").hidden = own !== null && !speaks;
    $("mute").disabled = call.isOver || gagged;
    setData($("mute"), "muted", call.muted);
    setText($("mute-label"), gagged ? "Muted by moderator" : call.muted ? "Unmute" : "Mute");
    $("hand").hidden = own === null || speaks;
    const raised = Boolean(own?.hand_raised_at);
    $("hand").setAttribute("aria-pressed", String(raised));
    setText($("hand-label"), raised ? "Lower hand" : "Raise hand");
    $("hand").disabled = call.isOver;
    $("step-down").hidden = !speaks || isModerator;
    $("invite").hidden = !(isModerator || call.room.open);
    setText($("invite-label"), isModerator ? "Manage" : "Invite");
    $("invitation").hidden = call.isOver || !own?.invited;
    if (!isModerator && !call.room.open && $("room-dialog").open) this.#room.close();
  }

  #openRoomDialog() {
    const { own, room } = this.#call ?? {};
    if (own) this.#room.open({ isModerator: own.role === "moderator", open: room.open });
  }

  #key(event) {
    const elsewhere = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
    const typing = event.target.closest?.("input, textarea, select, dialog, [contenteditable]");
    if (elsewhere || typing || $("room-view").hidden || event.key.toLowerCase() !== "m") return;
    event.preventDefault();
    if (!$("mute").hidden && !$("mute").disabled) this.#on.mute();
  }
}

/** Where what had the focus has gone, the focus goes to the controls, not to the page's top. */
function keepFocus(focused) {
  if (focused === document.body || (focused?.isConnected && focused.checkVisibility())) return;
  const controls = [...document.querySelectorAll("#controls button")];
  controls.find((control) => control.checkVisibility() && !control.disabled)?.focus();
}

function headCount(people, own) {
  if (people === 0 || !own) return "";
  return people === 1 ? "Only you are here" : `${people} people`;
}
