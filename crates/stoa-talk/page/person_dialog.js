// What can be done about one person, in a dialog of its own.

import { $, paintAvatar, qualityText, setText } from "./dom.js";
import { ROLES } from "./texts.js";

/** What this person may do about that one, as [label, message or action, kind]. */
function actions(person, { own, silenced }) {
  const { id } = person;
  if (id === own.id) {
    return own.role === "listener" ? [] : [["Leave the stage", { type: "step_down" }]];
  }
  const list = [];
  const onStage = person.role !== "listener";
  if (silenced.has(id)) list.push(["Hear them again", { type: "silence", id, silenced: false }]);
  else if (onStage) list.push(["Do not hear them", { type: "silence", id, silenced: true }]);
  if (own.role !== "moderator") return list;
  if (!onStage) {
    const { invited } = person;
    list.push([invited ? "Take the invitation back" : "Invite to speak", { type: "invite", id, invited: !invited }, invited ? "" : "primary"]);
    if (person.hand_raised_at) list.push(["Lower their hand", { type: "lower_hand", id }]);
  }
  if (person.creator) return list;
  if (onStage) {
    const muted = person.muted_by_moderator;
    list.push([muted ? "End their mute" : "Mute for everybody", { type: "mute_person", id, muted: !muted }]);
    const moderates = person.role === "moderator";
    list.push([moderates ? "Make a speaker again" : "Make a moderator", { type: "set_role", id, role: moderates ? "speaker" : "moderator" }]);
    list.push(["Move to the audience", { type: "set_role", id, role: "listener" }]);
  }
  list.push(["Remove from the room…", "remove", "danger"]);
  return list;
}

export class PersonDialog {
  #id = null;
  #call = null;
  #ask;
  #signature = "";

  /** `ask(message)` sends to the service. */
  constructor(ask) {
    this.#ask = ask;
    $("person-close").addEventListener("click", () => $("person-dialog").close());
    $("person-dialog").addEventListener("close", () => {
      this.#id = null;
    });
    $("remove-cancel").addEventListener("click", () => this.#confirm(false));
    $("remove-confirm").addEventListener("click", () => {
      this.#ask({ type: "remove", id: this.#id, revoke_link: $("remove-link").checked });
      $("person-dialog").close();
    });
  }

  open(id, call) {
    if (!call.people.get(id) || !call.own) return;
    this.#id = id;
    this.#signature = "";
    this.#confirm(false);
    this.update(call);
    $("person-dialog").showModal();
  }

  /** Somebody may have changed, or be gone, while the dialog is open. */
  update(call) {
    if (this.#id === null) return;
    this.#call = call;
    const person = call.people.get(this.#id);
    if (!person || call.isOver) {
      $("person-dialog").close();
      return;
    }
    setText($("person-title"), person.name);
    paintAvatar($("person-avatar"), person.name);
    const facts = [ROLES[person.role]];
    if (person.creator) facts.push("made this room");
    if (person.muted_by_moderator) facts.push("muted by a moderator");
    else if (person.muted && person.role !== "listener") facts.push("muted");
    if (person.hand_raised_at) facts.push("hand raised");
    if (person.quality) facts.push(qualityText(person));
    if (person.level_distrusted) facts.push("claims to be always loud");
    setText($("person-facts"), facts.join(" · "));
    this.#showActions(actions(person, call));
  }

  #showActions(list) {
    // The same buttons stay, so that the focus does.
    const signature = JSON.stringify(list);
    if (signature === this.#signature) return;
    this.#signature = signature;
    const buttons = list.map(([label, does, kind = ""]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `button wide ${kind}`;
      button.textContent = label;
      button.addEventListener("click", () => this.#do(does));
      return button;
    });
    const hadFocus = $("person-actions").contains(document.activeElement);
    $("person-actions").replaceChildren(...buttons);
    if (hadFocus) (buttons[0] ?? $("person-close")).focus();
    $("person-none").hidden = list.length > 0;
  }

  #do(does) {
    if (does === "remove") {
      this.#confirm(true);
      return;
    }
    this.#ask(does);
    $("person-dialog").close();
  }

  #confirm(asking) {
    $("person-choices").hidden = asking;
    $("remove-form").hidden = !asking;
    $("remove-link").checked = false;
    if (!asking) return;
    const name = this.#call.people.get(this.#id)?.name ?? "";
    $("remove-question").textContent = `Remove ${name} from the room? They cannot come back until a moderator lets them.`;
    $("remove-cancel").focus();
  }
}
