// The audience: a compact list, made for hundreds, and the hands that are up in it.

import { $, fillList, fromTemplate, paintAvatar, setData, setText, showQuality } from "./dom.js";

const SHOWN_AT_FIRST = 60;
const SEARCH_FROM = 25;

function listItem(person, onOpen) {
  const element = fromTemplate("listener-template");
  element.dataset.participantId = person.id;
  element.querySelector("button").addEventListener("click", () => onOpen(person.id));
  const part = (name) => element.querySelector(`.${name}`);
  return { element, name: part("name"), avatar: part("avatar"), you: part("you"), quality: part("quality") };
}

function showListener(item, person, isYou) {
  setText(item.name, person.name);
  paintAvatar(item.avatar, person.name);
  item.you.hidden = !isYou;
  showQuality(item.quality, person);
  setData(item.element, "hand", Boolean(person.hand_raised_at));
  setData(item.element, "invited", person.invited);
  setData(item.element, "connected", person.connected);
}

export class Audience {
  #items = new Map();
  #hands = new Map();
  #all = false;
  #on;
  #last = null;

  /** `on` has open(id), invite(id) and lower(id). */
  constructor(on) {
    this.#on = on;
    $("show-all").addEventListener("click", () => {
      this.#all = true;
      this.#again();
      $("audience-list").querySelectorAll("button")[SHOWN_AT_FIRST]?.focus();
    });
    $("audience-search").addEventListener("input", () => this.#again());
  }

  clear() {
    this.#all = false;
    this.#items.clear();
    this.#hands.clear();
    $("audience-list").replaceChildren();
    $("hands-list").replaceChildren();
    $("audience-search").value = "";
  }

  update(people, own) {
    this.#last = [people, own];
    const hands = people.filter((person) => person.hand_raised_at);
    hands.sort((a, b) => a.hand_raised_at - b.hand_raised_at || (a.id < b.id ? -1 : 1));
    this.#showHands(hands, own);

    const others = people.filter((person) => !person.hand_raised_at).sort((a, b) => a.name.localeCompare(b.name));
    const isOwn = (person) => person.id === own?.id;
    const ordered = [...hands, ...others.filter(isOwn), ...others.filter((person) => !isOwn(person))];
    const searching = people.length >= SEARCH_FROM;
    $("audience-search-field").hidden = !searching;
    const wanted = searching ? $("audience-search").value.trim().toLocaleLowerCase() : "";
    const found = wanted === "" ? ordered : ordered.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
    const shown = this.#all ? found : found.slice(0, SHOWN_AT_FIRST);
    fillList($("audience-list"), this.#items, shown, (person) => listItem(person, this.#on.open), (item, person) => {
      showListener(item, person, isOwn(person));
    });
    setText($("audience-count"), String(people.length));
    $("audience-empty").hidden = found.length > 0;
    setText($("audience-empty"), people.length === 0 ? "Nobody is listening yet." : "Nobody of this name.");
    $("show-all").hidden = shown.length === found.length;
    setText($("show-all"), `Show all ${found.length}`);
  }

  #again() {
    if (this.#last) this.update(...this.#last);
  }

  /** The order in which they went up is the order in which moderators see them. */
  #showHands(hands, own) {
    $("hands").hidden = own?.role !== "moderator" || hands.length === 0;
    setText($("hands-count"), String(hands.length));
    const make = (person) => {
      const element = fromTemplate("hand-template");
      element.dataset.participantId = person.id;
      const part = (name) => element.querySelector(`.${name}`);
      part("invite").addEventListener("click", () => this.#on.invite(person.id));
      part("lower").addEventListener("click", () => this.#on.lower(person.id));
      return { element, name: part("name"), avatar: part("avatar"), invite: part("invite"), lower: part("lower") };
    };
    fillList($("hands-list"), this.#hands, hands, make, (item, person) => {
      setText(item.name, person.name);
      paintAvatar(item.avatar, person.name);
      setText(item.invite, person.invited ? "Invited" : "Invite");
      item.invite.disabled = person.invited;
      item.invite.setAttribute("aria-label", `${item.invite.textContent}: ${person.name}`);
      item.lower.setAttribute("aria-label", `Lower: ${person.name}`);
    });
  }
}
