// Before all rooms, where the service is closed: an invitation, or a place on the waiting list.

import { $ } from "./dom.js";
import { fieldError } from "./field.js";
import { identity, remember } from "./identity.js";
import { announce } from "./speak.js";
import { refusal } from "./texts.js";

const ASK_AGAIN_MS = 30_000;
const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/**
 * Asks at the entrance; resolves to `{ admission, you, waiting_since, invitations, created }`, or to
 * `{ problem }`.
 */
export async function atEntrance(action) {
  const question = { secret: identity.secret, ...(action ? { action } : {}) };
  try {
    const answer = await fetch("/entrance", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
    });
    return answer.ok ? await answer.json() : { problem: await answer.json() };
  } catch {
    return { problem: { reason: "UNREACHABLE", message: "the service does not answer" } };
  }
}

/** The code in what people paste: the code itself, or a whole link. */
function codeIn(text) {
  return text.slice(text.lastIndexOf("#") + 1).replaceAll(/[\s-]+/gu, "").toLowerCase();
}

export class EntranceView {
  #on;
  #timer;

  /** `on` has admitted() and banned(problem). */
  constructor(on) {
    this.#on = on;
    $("entrance-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#useCode();
    });
    $("entrance-wait").addEventListener("click", () => this.#wait());
    for (const id of ["entrance-name", "code"]) {
      $(id).addEventListener("input", () => fieldError(id, ""));
    }
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#timer) this.#askAgain();
    });
  }

  /** Shows how one stands; goes on at once where one is in. `code` is that of a link. */
  async open({ name, code }) {
    $("entrance-name").value = name;
    $("code").value = code ?? "";
    this.#stand(await atEntrance(), { hasCode: code !== null });
  }

  hide() {
    clearTimeout(this.#timer);
    this.#timer = null;
    $("entrance-view").hidden = true;
  }

  #stand(answer, { hasCode = false } = {}) {
    const { problem, you } = answer;
    // While there is no answer the form is there all the same: its button tries again.
    if (problem) this.#show({ state: "stranger", hasCode, error: refusal(problem) });
    else if (you === "banned") {
      this.hide();
      this.#on.banned({ reason: "BANNED" });
    } else if (you === "in" || (answer.admission === "open" && !hasCode)) {
      this.hide();
      this.#on.admitted();
    } else this.#show({ state: you, hasCode, since: answer.waiting_since });
  }

  #show({ state, hasCode, since, error = "" }) {
    const waits = state === "waiting";
    const view = $("entrance-view");
    const isNew = view.hidden || view.dataset.state !== state;
    view.dataset.state = state;
    view.hidden = false;
    document.title = "Stoa talk";
    $("entrance-title").textContent = waits ? "You are on the list" : hasCode ? "You are invited" : "You need an invitation";
    $("entrance-lead").textContent = waits
      ? "People are let in in waves. This page lets you in as soon as it is your turn; you may close it and come back with the same browser."
      : hasCode
        ? "Say who you are, and come in."
        : "This service is open to invited people for now. Ask somebody who is in for an invitation, or get on the list.";
    $("entrance-since").textContent = waits ? `On the list since ${when.format(since)}.` : "";
    $("entrance-since").hidden = !waits;
    $("entrance-wait").hidden = waits;
    fieldError("code", error);
    clearTimeout(this.#timer);
    this.#timer = waits ? setTimeout(() => this.#askAgain(), ASK_AGAIN_MS) : null;
    if (isNew) (hasCode ? $("entrance-name") : $("entrance-title")).focus();
  }

  async #askAgain() {
    clearTimeout(this.#timer);
    const answer = await atEntrance();
    if (!this.#timer) return;
    if (answer.problem) this.#timer = setTimeout(() => this.#askAgain(), ASK_AGAIN_MS);
    else this.#stand(answer);
  }

  async #useCode() {
    const name = this.#name();
    const code = codeIn($("code").value);
    fieldError("code", code === "" ? "Enter the code of your invitation." : "");
    if (!name || code === "") return focusOnWrong();
    await this.#ask({ type: "use_code", name, code });
  }

  async #wait() {
    fieldError("code", "");
    const name = this.#name();
    if (!name) return focusOnWrong();
    await this.#ask({ type: "wait", name });
  }

  async #ask(action) {
    this.#disable(true);
    const answer = await atEntrance(action);
    this.#disable(false);
    if (!answer.problem) {
      this.#stand(answer);
      if (answer.you === "waiting") announce("You are on the list.");
      return;
    }
    if (answer.problem.reason === "BANNED") return this.#stand({ you: "banned" });
    fieldError("code", refusal(answer.problem));
    $("code").focus();
  }

  #name() {
    const name = $("entrance-name").value.trim();
    fieldError("entrance-name", name === "" ? "Say who you are." : "");
    if (name !== "") remember("name", name);
    return name;
  }

  #disable(disabled) {
    $("entrance-enter").disabled = disabled;
    $("entrance-wait").disabled = disabled;
  }
}

function focusOnWrong() {
  document.querySelector('#entrance-form [aria-invalid="true"]')?.focus();
}
