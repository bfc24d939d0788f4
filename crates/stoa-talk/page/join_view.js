// The form before the room.

import { $ } from "./dom.js";
import { fieldError } from "./field.js";
import { ROLES, refusal } from "./texts.js";

const INTRODUCTIONS = {
  listener: "You come in as a listener. Raise your hand when you want to speak.",
  speaker: "You come in as a speaker: everybody hears you.",
  moderator: "You come in as a moderator.",
};

/** `on` has join({name, title, kind}), retry() and listenOnly(). */
export class JoinView {
  /** The room's title, where it is known. */
  title = null;

  #makes = false; // whether the form makes a room

  constructor(on) {
    $("join-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(on);
    });
    $("retry").addEventListener("click", () => on.retry());
    $("listen-only").addEventListener("click", () => on.listenOnly());
    for (const id of ["name", "title"]) {
      $(id).addEventListener("input", () => fieldError(id, ""));
    }
  }

  get isShown() {
    return !$("join-view").hidden;
  }

  /** The form, filled in as far as known; without a room it makes one. */
  show({ name, room }) {
    this.#makes = room === null;
    this.hideProblem();
    $("ended").hidden = true;
    $("join-form").hidden = false;
    $("making").hidden = !this.#makes;
    $("name").value = name;
    $("join-title").textContent = this.#makes ? "Start a voice room" : (this.title ?? "Join the room");
    $("join-lead").textContent = this.#makes ? "Pick a title, share a link, talk. No account needed." : "";
    this.#reveal();
    $("join-view").hidden = false;
    document.title = "Stoa talk";
    $(name === "" ? "name" : "join").focus();
  }

  /** What the service says about the room, or null where it does not answer. */
  showLooked(looked, room) {
    if (!looked) return;
    $("kind-open-choice").hidden = !looked.open_rooms;
    if (!looked.open_rooms) $("kind-stage").checked = true;
    if (room === null) return;
    if (looked.problem) {
      this.showEnd(refusal(looked.problem));
      return;
    }
    const { title, role, new: isNew } = looked.room;
    this.title = title;
    $("join-title").textContent = title;
    $("join-lead").textContent = isNew ? "Nobody has been here yet: you will be its moderator." : INTRODUCTIONS[role];
    $("join-role").textContent = ROLES[role];
    $("join-role").hidden = isNew;
  }

  /** While the microphone is asked for and the room is opened. */
  setJoining(joining) {
    $("join").disabled = joining;
    $("retry").disabled = joining;
    $("listen-only").disabled = joining;
    $("join-label").textContent = joining ? "Joining…" : this.#verb;
  }

  /** Why there is no call, above the form. */
  showProblem({ title, text, steps = [] }) {
    $("problem-title").textContent = title;
    $("problem-text").textContent = text;
    $("problem-steps").replaceChildren(...steps.map((step) => {
      const item = document.createElement("li");
      item.textContent = step;
      return item;
    }));
    $("problem").hidden = false;
    $("retry").focus();
  }

  hideProblem() {
    $("problem").hidden = true;
  }

  /** There is nothing to join here, or not any more; unless one is `banned`, elsewhere there is. */
  showEnd(text, { banned = false } = {}) {
    this.hideProblem();
    $("join-form").hidden = true;
    $("join-title").textContent = this.title ?? "Stoa talk";
    $("join-lead").textContent = "";
    $("join-role").hidden = true;
    $("ended-text").textContent = text;
    $("ended-elsewhere").hidden = banned;
    $("ended").hidden = false;
    $("join-view").hidden = false;
    document.title = "Stoa talk";
    $("join-title").focus();
  }

  hide() {
    $("join-view").hidden = true;
    this.hideProblem();
  }

  get #verb() {
    return this.#makes ? "Start the room" : "Join";
  }

  #reveal() {
    $("join-label").textContent = this.#verb;
  }

  #submit(on) {
    const name = $("name").value.trim();
    const title = $("title").value.trim();
    fieldError("name", name === "" ? "Tell the others who you are." : "");
    fieldError("title", this.#makes && title === "" ? "Give the room a title." : "");
    const wrong = document.querySelector('#join-form [aria-invalid="true"]');
    if (wrong) {
      wrong.focus();
      return;
    }
    const kind = this.#makes ? new FormData($("join-form")).get("kind") : null;
    on.join({ name, title, kind });
  }
}
