// The invitations that one has to pass on, below the form.

import * as address from "./address.js";
import { copy } from "./copy.js";
import { $, fromTemplate, setText } from "./dom.js";
import { atEntrance } from "./entrance.js";
import { announce, toast } from "./speak.js";
import { refusal } from "./texts.js";

const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export class Invites {
  #codes = new Map(); // of the invitations made on this page: id -> code

  constructor() {
    $("invites-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const places = $("invites-places").valueAsNumber;
      if ($("invites-places").reportValidity()) this.#ask({ type: "invite", places });
    });
    $("copy-invite").addEventListener("click", () => copy($("made-invite").value, $("made-invite")));
  }

  /** Shows them, as long as invitations are needed at all. */
  async refresh() {
    $("invites-made").hidden = true;
    this.#show(await atEntrance());
  }

  async #ask(action) {
    const answer = await atEntrance(action);
    if (answer.problem) {
      toast(refusal(answer.problem));
      return;
    }
    this.#show(answer);
    if (answer.created) {
      copy($("made-invite").value, $("made-invite"), { quiet: true });
    } else {
      $("invites-made").hidden = true;
      $("invites-title").focus();
      announce("The invitation is revoked.");
    }
  }

  #show({ admission, invitations, created }) {
    $("needs-invitation").hidden = admission !== "closed";
    const { left, made } = invitations ?? { left: 0, made: [] };
    $("invites").hidden = admission !== "closed" || (left === 0 && made.length === 0);
    setText($("invites-left"), left === 0 ? "All your invitations are given."
      : left === 1 ? "You can invite one more person." : `You can invite ${left} more people.`);
    $("invites-form").hidden = left === 0;
    $("invites-places").max = String(left);
    if ($("invites-places").valueAsNumber > left) $("invites-places").value = "1";
    if (created) {
      this.#codes.set(created.id, created.code);
      $("made-invite").value = address.invitationLink(created.code);
      $("invites-made").hidden = false;
    }
    $("invites-list").replaceChildren(...made.map((invitation) => this.#item(invitation)));
  }

  #item({ id, places, taken, created_at: at }) {
    const item = fromTemplate("link-template");
    const part = (name) => item.querySelector(`.${name}`);
    const name = places === 1 ? "For one person" : `For ${places} people`;
    setText(part("link-name"), name);
    const used = taken === 0 ? "not used yet" : taken === places ? "used up" : `${taken} came by it`;
    setText(part("link-facts"), `${used} · ${when.format(at)}`);
    const code = this.#codes.get(id);
    part("link-copy").hidden = !code || taken === places;
    part("link-copy").setAttribute("aria-label", `Copy: ${name}, ${when.format(at)}`);
    part("link-copy").addEventListener("click", () => copy(address.invitationLink(code)));
    part("link-revoke").hidden = taken === places;
    part("link-revoke").setAttribute("aria-label", `Revoke: ${name}, ${when.format(at)}`);
    part("link-revoke").addEventListener("click", () => this.#ask({ type: "revoke", id }));
    return item;
  }
}
