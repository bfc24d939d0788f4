// The administrator's page: `/admin#KEY`. What stands after the `#` is sent to nobody by browsers; it
// is kept for as long as the window is open.

import { invitationLink } from "./address.js";
import { copy } from "./copy.js";
import { $, fromTemplate, setText } from "./dom.js";
import { fieldError } from "./field.js";
import { announce, toast } from "./speak.js";
import { refusal } from "./texts.js";

const KEPT_AS = "stoa-talk-administrator";
const REFUSALS = {
  NOT_ADMINISTRATOR: "This is not the administrator's key.",
  WAVE_OUT_OF_ORDER: "An earlier wave is not open. Open or drop that one first.",
  WAVE_OPEN: "The wave is open already.",
  WAVE_NOT_FOUND: "This wave was dropped already.",
  WAVE_LIMIT_REACHED: "There are as many waves as there may be.",
  MEMBER_NOT_FOUND: "They are not in this list any more.",
};
const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

let key = null;
let shownWave = null; // whose invitations are shown
let banning = null; // who is about to be banned
let waves = [];

/** So that a reload does not ask for the key again. */
function keep() {
  try {
    sessionStorage.setItem(KEPT_AS, key);
  } catch {
    // Without storage it is asked for again.
  }
}

function kept() {
  try {
    return sessionStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}

function say(problem) {
  return REFUSALS[problem.reason] ?? refusal(problem);
}

/** Tells the service what to do; resolves to how everything stands then, or to null. */
async function ask(action = null) {
  const question = { key, search: $("search").value.trim(), wave: shownWave, ...(action ? { action } : {}) };
  let problem;
  try {
    const answer = await fetch("/admin", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
    });
    if (answer.ok) {
      const overview = await answer.json();
      show(overview);
      return overview;
    }
    problem = await answer.json();
  } catch {
    problem = { reason: "UNREACHABLE" };
  }
  if ($("admin-view").hidden) showKeyForm(say(problem));
  else toast(say(problem));
  // A ban holds even if the media server could not be told: what is shown is what holds.
  if (action && !$("admin-view").hidden) await ask();
  return null;
}

/** Does something, and tells it where it was done; the focus stays near. */
async function order(action, { done, focus }) {
  if ((await ask(action)) === null) return;
  $(focus).focus();
  announce(done);
}

function showKeyForm(error) {
  $("key-view").hidden = false;
  fieldError("key", error);
  $("key").focus();
}

function show(overview) {
  if ($("admin-view").hidden) {
    $("key-view").hidden = true;
    $("admin-view").hidden = false;
    document.querySelector("#admin-view h1").focus();
    keep();
  }
  waves = overview.waves;
  const isOpen = overview.admission === "open";
  setText($("admission-text"), isOpen
    ? "Everyone: the service is open." : "Invited people, and those whom a wave lets in from the waiting list.");
  $("open-service").hidden = isOpen;
  $("close-service").hidden = !isOpen;
  showWaves(overview);
  showPeople(overview);
}

function showWaves({ created, invitations }) {
  fill("waves", waves.map(waveItem));
  if (created) {
    $("codes").value = created.codes.map(invitationLink).join("\n");
    $("codes-made").hidden = created.codes.length === 0;
  }
  const wave = waves.find(({ id }) => id === shownWave);
  $("invitations").hidden = !wave;
  if (!wave) return;
  setText($("invitations-title"), `Invitations of ${wave.name}`);
  fill("invitations", invitations.map(invitationItem));
}

function waveItem(wave) {
  const { id, name, opened_at: at, places, taken, waiting, members, invites } = wave;
  const facts = [
    at === null ? "not open" : `open since ${when.format(at)}`,
    `${taken} of ${places} places by invitation taken`,
    waiting > 0 ? `${waiting} from the waiting list` : "",
    `${members} in`,
    `each may invite ${invites}`,
  ];
  const buttons = [["Invitations", () => showInvitations(id)]];
  const near = { focus: "waves-title" };
  if (at === null) {
    buttons.unshift(["Open", () => order({ type: "open_wave", wave: id }, { ...near, done: `${name} is open.` }), "primary"]);
    buttons.push(["Drop", () => order({ type: "drop_wave", wave: id }, { ...near, done: `${name} is dropped.` }), "danger"]);
  }
  if (invites > 0) {
    const stop = { type: "set_invites", wave: id, invites: 0 };
    buttons.push(["End inviting", () => order(stop, { ...near, done: `Who comes in with ${name} from now on invites nobody.` })]);
  }
  return row(name, facts, buttons);
}

async function showInvitations(wave) {
  shownWave = wave;
  if (await ask()) $("invitations-title").focus();
}

function invitationItem({ id, places, taken, created_at: at }) {
  const name = `No. ${id}`;
  const facts = [taken === places ? `used up, ${taken} came by it` : `${taken} of ${places} came by it`, when.format(at)];
  const revoke = { type: "revoke", invitation: id };
  const done = "The invitation is revoked.";
  const buttons = taken === places ? [] : [["Revoke", () => order(revoke, { done, focus: "invitations-title" }), "danger"]];
  return row(name, facts, buttons);
}

function showPeople({ counts, waiting, people, banned }) {
  for (const standing of ["waiting", "in", "banned"]) setText($(`${standing}-count`), counts[standing]);
  setText($("people-count"), counts.waiting + counts.in + counts.banned);
  const next = waves.filter(({ opened_at: at }) => at === null);
  const chosen = $("waiting-wave").value;
  $("waiting-wave").replaceChildren(...next.map(({ id, name }) => new Option(name, id)));
  if (next.some(({ id }) => String(id) === chosen)) $("waiting-wave").value = chosen;
  $("waiting-wave-field").hidden = next.length === 0;
  fill("waiting", waiting.map((person) => waitingItem(person, next.length > 0)));
  fill("in", people.map((person) => row(person.name, [...cameBy(person), `seen ${when.format(person.seen_at)}`], [
    ["Ban…", () => openBan(person), "danger"],
  ])));
  fill("banned", banned.map((person) => row(person.name, [...cameBy(person), `banned ${when.format(person.banned_at)}`], [
    ["Lift the ban", () => order({ type: "lift_ban", member: person.id }, { done: `${person.name} may come back.`, focus: "banned-title" })],
  ])));
}

function waitingItem(person, hasWaves) {
  const { id, name, wave, asked_at: at } = person;
  const near = { focus: "waiting-title" };
  const put = (to) => ({ type: "put_in_wave", member: id, wave: to });
  const buttons = [];
  if (wave !== null) buttons.push(["Take out of the wave", () => order(put(null), { ...near, done: `${name} waits for no wave.` })]);
  else if (hasWaves) buttons.push(["Put in the wave", () => order(put(Number($("waiting-wave").value)), { ...near, done: `${name} comes with the wave.` })]);
  buttons.push(["Forget", () => order({ type: "forget", member: id }, { ...near, done: `${name} is off the list.` })]);
  buttons.push(["Ban…", () => openBan(person), "danger"]);
  return row(name, [`since ${when.format(at)}`, wave === null ? "" : `comes with ${nameOf(wave)}`], buttons);
}

/** How somebody came, and whom they brought. */
function cameBy({ inviter, wave, invites, invited }) {
  return [
    inviter ? `invited by ${inviter.name}` : "",
    wave === null ? "" : `with ${nameOf(wave)}`,
    invites > 0 ? `has invited ${invited} of ${invites}` : "",
  ];
}

function nameOf(wave) {
  return waves.find(({ id }) => id === wave)?.name ?? "a wave";
}

function openBan(person) {
  banning = person;
  setText($("ban-title"), `Ban ${person.name}?`);
  $("ban-dialog").showModal();
  $("ban-cancel").focus();
}

/** A row of a list: a name, facts, and buttons as [label, what it does, kind]. */
function row(name, facts, buttons) {
  const item = fromTemplate("row-template");
  setText(item.querySelector(".name"), name);
  setText(item.querySelector(".facts"), facts.filter(Boolean).join(" · "));
  item.querySelector(".buttons").append(...buttons.map(([label, does, kind]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = ["button", "small", kind].filter(Boolean).join(" ");
    button.textContent = label;
    button.setAttribute("aria-label", `${label} ${name}`);
    button.addEventListener("click", does);
    return button;
  }));
  return item;
}

function fill(list, items) {
  $(`${list}-list`).replaceChildren(...items);
  $(`${list}-empty`).hidden = items.length > 0;
}

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = $("key").value.trim();
  ask();
});
$("open-service").addEventListener("click", () => (
  order({ type: "set_admission", admission: "open" }, { done: "The service is open to everyone.", focus: "close-service" })));
$("close-service").addEventListener("click", () => (
  order({ type: "set_admission", admission: "closed" }, { done: "The service is closed: invited people only.", focus: "open-service" })));
$("wave-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const number = (id) => $(id).valueAsNumber;
  const created = await ask({
    type: "create_wave",
    name: $("wave-name").value.trim(),
    invitations: number("wave-invitations"),
    places: number("wave-places"),
    from_list: number("wave-from-list"),
    invites: number("wave-invites"),
  });
  if (!created) return;
  $("wave-name").value = "";
  announce("The wave is made. Nobody comes in with it before you open it.");
});
$("copy-codes").addEventListener("click", () => copy($("codes").value, $("codes")));
$("search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
$("ban-cancel").addEventListener("click", () => $("ban-dialog").close());
$("ban-confirm").addEventListener("click", async () => {
  $("ban-dialog").close();
  await order({ type: "ban", member: banning.id }, { done: `${banning.name} is banned.`, focus: "banned-title" });
});

key = location.hash.length > 1 ? location.hash.slice(1) : kept();
history.replaceState(null, "", location.pathname);
if (key === null) showKeyForm("");
else ask();
