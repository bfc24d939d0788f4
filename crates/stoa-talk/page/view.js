// What is on the screen. Knows nothing about calls; tells by callbacks what was clicked.

import { Tile } from "./tile.js";

const $ = (id) => document.getElementById(id);
const STATUS = {
  connecting: "Connecting…",
  connected: "Connected",
  reconnecting: "Reconnecting…",
  failed: "Disconnected",
};
const NEWS_TOGETHER_MS = 400;
const COPIED_MS = 2500;

/** The page's two views. `on` has join({name, room}), mute(), leave(), retry(), notice(). */
export class View {
  #on;
  #tiles = new Map();
  #news = [];
  #link = "";

  constructor(on) {
    this.#on = on;
    $("join-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    $("retry").addEventListener("click", () => on.retry());
    $("mute").addEventListener("click", () => on.mute());
    $("leave").addEventListener("click", () => on.leave());
    $("invite").addEventListener("click", () => this.#copyLink());
    $("notice-action").addEventListener("click", () => on.notice());
    document.addEventListener("keydown", (event) => this.#key(event));
    for (const id of ["name", "room"]) {
      $(id).addEventListener("input", () => this.#fieldError(id, ""));
    }
  }

  /** The form, filled in as far as known. */
  showJoin({ name, room }) {
    $("name").value = name;
    $("room").value = room;
    this.#swap("join-view");
    document.title = "Stoa talk";
    $(name === "" ? "name" : "join").focus();
  }

  /** While the microphone is asked for and the room is opened. */
  setJoining(joining) {
    $("join").disabled = joining;
    $("join").textContent = joining ? "Joining…" : "Join";
    $("retry").disabled = joining;
  }

  /** Why there is no call, above the form. */
  showProblem({ title, text, steps = [], retry = "Try again" }) {
    this.#swap("join-view");
    $("problem-title").textContent = title;
    $("problem-text").textContent = text;
    $("problem-steps").replaceChildren(...steps.map((step) => {
      const item = document.createElement("li");
      item.textContent = step;
      return item;
    }));
    $("retry").textContent = retry;
    $("problem").hidden = false;
    $("retry").focus();
  }

  hideProblem() {
    $("problem").hidden = true;
  }

  showRoom({ room, link }) {
    this.#link = link;
    this.#tiles.clear();
    $("tiles").replaceChildren();
    $("room-name").textContent = room;
    $("invite-fallback").hidden = true;
    this.hideNotice();
    this.#swap("room-view");
    document.title = `${room} · Stoa talk`;
    document.querySelector("#room-view h1").focus();
  }

  /** A message with one button, above the people. */
  showNotice(text, action) {
    $("notice-text").textContent = text;
    $("notice-action").textContent = action;
    $("notice").hidden = false;
    $("notice-action").focus();
  }

  hideNotice() {
    $("notice").hidden = true;
  }

  /** People and connection as they are now. */
  update({ connection, people, youId, muted }) {
    $("status").hidden = !(connection in STATUS);
    if ($("status").dataset.connection !== connection) {
      $("status").dataset.connection = connection;
      $("status-text").textContent = STATUS[connection] ?? "";
    }
    $("mute").disabled = connection === "failed";
    $("mute").dataset.muted = String(muted);
    $("mute-label").textContent = muted ? "Unmute" : "Mute";
    $("head-count").textContent = headCount(people.length);
    const present = new Set(people.map((person) => person.id));
    for (const [id, tile] of this.#tiles) {
      if (present.has(id)) continue;
      tile.element.remove();
      this.#tiles.delete(id);
    }
    for (const person of people) {
      if (!this.#tiles.has(person.id)) this.#addTile(person, person.id === youId);
      this.#tiles.get(person.id).show(person);
    }
  }

  /** Levels only: no tile comes or goes. */
  updateLevels(people) {
    for (const person of people) this.#tiles.get(person.id)?.show(person);
  }

  /** Tells screen readers; what comes together is told together. */
  announce(text) {
    if (this.#news.push(text) > 1) return;
    setTimeout(() => {
      $("announcements").textContent = this.#news.splice(0).join(" ");
    }, NEWS_TOGETHER_MS);
  }

  #addTile(person, isYou) {
    const tile = new Tile(person, isYou);
    this.#tiles.set(person.id, tile);
    if (isYou) $("tiles").prepend(tile.element);
    else $("tiles").append(tile.element);
  }

  #swap(shown) {
    for (const id of ["join-view", "room-view"]) $(id).hidden = id !== shown;
    if (shown === "join-view") {
      $("status").hidden = true;
      this.hideProblem();
    }
  }

  #submit() {
    const name = $("name").value.trim();
    const room = $("room").value.trim().replaceAll(/\s+/gu, "-");
    $("room").value = room;
    this.#fieldError("name", name === "" ? "Tell the others who you are." : "");
    const plain = /^[A-Za-z0-9._~-]{1,64}$/.test(room);
    const complaint = room === "" ? "Name a room." : "Use letters, digits and . _ ~ - only.";
    this.#fieldError("room", plain ? "" : complaint);
    const wrong = document.querySelector('#join-form [aria-invalid="true"]');
    if (wrong) wrong.focus();
    else this.#on.join({ name, room });
  }

  #fieldError(id, text) {
    $(id).setAttribute("aria-invalid", String(text !== ""));
    $(`${id}-error`).textContent = text;
    $(`${id}-error`).hidden = text === "";
  }

  async #copyLink() {
    try {
      await navigator.clipboard.writeText(this.#link);
      $("invite-label").textContent = "Link copied";
      this.announce("The invite link was copied.");
      setTimeout(() => { $("invite-label").textContent = "Copy link"; }, COPIED_MS);
    } catch {
      // Without the right to write the clipboard, the link can still be copied by hand.
      $("invite-fallback").hidden = false;
      $("invite-link").value = this.#link;
      $("invite-link").select();
    }
  }

  #key(event) {
    const elsewhere = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    if (elsewhere || typing || $("room-view").hidden || event.key.toLowerCase() !== "m") return;
    event.preventDefault();
    this.#on.mute();
  }
}

function headCount(people) {
  if (people === 0) return "";
  return people === 1 ? "Only you are here" : `${people} people`;
}
