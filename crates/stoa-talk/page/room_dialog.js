// What moderators do about the room: links, who was removed, and its end.

import { copy } from "./copy.js";
import { $, fromTemplate, setText } from "./dom.js";
import { announce } from "./speak.js";
import { ROLES } from "./texts.js";

const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export class RoomDialog {
  #on;
  #tokens = new Map(); // of the links made on this page: link id -> secret

  /** `on` has ask(message) and link(token). */
  constructor(on) {
    this.#on = on;
    $("room-close").addEventListener("click", () => $("room-dialog").close());
    $("link-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const form = new FormData($("link-form"));
      on.ask({ type: "create_link", role: form.get("role"), label: form.get("label").trim(), one_person: form.has("one_person") });
      $("link-label").value = "";
    });
    $("copy-made").addEventListener("click", () => copy($("made-link").value, $("made-link")));
    $("copy-open").addEventListener("click", () => copy($("open-link").value, $("open-link")));
    $("end-room").addEventListener("click", () => this.#confirmEnd(true));
    $("end-cancel").addEventListener("click", () => this.#confirmEnd(false));
    $("end-confirm").addEventListener("click", () => {
      on.ask({ type: "end_room" });
      $("room-dialog").close();
    });
  }

  open({ isModerator, open }) {
    $("made").hidden = true;
    $("open-room").hidden = !open;
    $("open-link").value = this.#on.link(null);
    for (const id of ["links", "removed", "ending"]) $(id).hidden = !isModerator;
    $("room-dialog-title").textContent = isModerator ? "Manage the room" : "Invite people";
    this.#confirmEnd(false);
    if (isModerator) {
      this.#on.ask({ type: "list_links" });
      this.#on.ask({ type: "list_removed" });
    }
    $("room-dialog").showModal();
  }

  close() {
    $("room-dialog").close();
  }

  /** What the service has sent on request. */
  answer(message) {
    if (message.type === "links") this.#showLinks(message);
    else this.#showRemoved(message);
  }

  #showLinks({ links, created }) {
    if (created) {
      this.#tokens.set(created.id, created.token);
      $("made-link").value = this.#on.link(created.token);
      $("made").hidden = false;
      copy($("made-link").value, $("made-link"), { quiet: true });
    }
    $("links-list").replaceChildren(...links.map((link) => this.#linkItem(link)));
    $("links-empty").hidden = links.length > 0;
  }

  #linkItem({ id, role, label, one_person: onePerson, created_at: at, uses }) {
    const item = fromTemplate("link-template");
    const part = (name) => item.querySelector(`.${name}`);
    setText(part("link-name"), label || `${ROLES[role]} link`);
    const used = uses === 1 ? "1 person came by it" : `${uses} people came by it`;
    setText(part("link-facts"), [ROLES[role], onePerson ? "for one person" : used, onePerson && uses > 0 ? "used" : "", when.format(at)].filter(Boolean).join(" · "));
    const token = this.#tokens.get(id);
    part("link-copy").hidden = !token;
    part("link-copy").setAttribute("aria-label", `Copy: ${label || ROLES[role]}`);
    part("link-copy").addEventListener("click", () => copy(this.#on.link(token)));
    part("link-revoke").setAttribute("aria-label", `Revoke: ${label || ROLES[role]}`);
    part("link-revoke").addEventListener("click", () => {
      this.#on.ask({ type: "revoke_link", id });
      $("made").hidden = true;
      $("links-title").focus();
      announce("The link is revoked.");
    });
    return item;
  }

  #showRemoved({ people }) {
    $("removed-list").replaceChildren(...people.map(({ id, name, removed_at: at }) => {
      const item = fromTemplate("removed-template");
      setText(item.querySelector(".name"), name);
      setText(item.querySelector(".removed-at"), when.format(at));
      const lift = item.querySelector("button");
      lift.setAttribute("aria-label", `Let back: ${name}`);
      lift.addEventListener("click", () => {
        this.#on.ask({ type: "lift_removal", id });
        $("removed-title").focus();
        announce(`${name} may come back.`);
      });
      return item;
    }));
    $("removed-empty").hidden = people.length > 0;
  }

  #confirmEnd(asking) {
    $("end-room").hidden = asking;
    $("end-form").hidden = !asking;
    if (asking) $("end-cancel").focus();
  }
}
