// A service that is closed at first: strangers are kept out; the staff is invited, invites others until
// the invitations run out; a wave lets in who is on the list; then everyone comes in; and somebody who
// is banned is put out and stays out.
//
// Prints a summary as JSON and ends with 0, or prints what went wrong and ends with 1.

import path from "node:path";

import { BetaPage } from "./lib/beta_page.mjs";
import { withBrowsers } from "./lib/browsers.mjs";
import { table } from "./lib/room_page.mjs";
import { StagePage } from "./lib/stage_page.mjs";
import { writeTone } from "./lib/tone.mjs";
import { pageUrl } from "./lib/settings.mjs";

const BOUND_MS = 170_000;
const HERTZ = 440; // everybody says it: whose it is, the CSRC tells
const DOES_NOT_HOLD = /does not hold/;

const started = Date.now();
const seconds = () => Number(((Date.now() - started) / 1000).toFixed(1));
const summary = { steps: {} };
const pages = [];
const people = {};
let browser;
let admin;
let room;

function expect(condition, text) {
  if (!condition) throw new Error(text);
}

async function arrive(name, address = pageUrl) {
  const page = await BetaPage.open(browser, { name, hertz: HERTZ }, address);
  pages.push(page);
  people[name] = page;
  return page;
}

async function closeTheService() {
  admin = await BetaPage.administrator(browser);
  pages.push(admin);
  expect(!admin.page.url().includes("#"), "the administrator's key stays in the address bar");
  await admin.says("#admission-text", /open/);
  await admin.click("#close-service");
  await admin.says("#admission-text", /Invited people/);
}

async function keepStrangersOut() {
  const eve = await arrive("Eve", new URL("/?room=lobby", pageUrl).href);
  await eve.says("#entrance-title", /need an invitation/);
  expect(!(await eve.shows("#join-form")), "a stranger may join");
  await eve.fill("#entrance-name", "Eve");
  await eve.fill("#code", "abcdefghijkmnpqrstuvwxyz23");
  await eve.click("#entrance-enter");
  await eve.says("#code-error", DOES_NOT_HOLD);
  await eve.screenshot("needs-an-invitation");
  await eve.click("#entrance-wait");
  await eve.says("#entrance-title", /on the list/);
  await eve.page.reload();
  await eve.says("#entrance-title", /on the list/);
  await eve.screenshot("on-the-list");
}

async function inviteTheStaff() {
  const [link] = await admin.makeWave("Staff", { invitations: 1, places: 2, invites: 1 });
  const ada = await arrive("Ada", link);
  await ada.useInvitation(link);
  await ada.says("#code-error", DOES_NOT_HOLD); // the wave is not open
  await admin.openWave("Staff");
  await ada.click("#entrance-enter");
  await ada.page.waitForSelector("#making", { visible: true });
  expect(!/invitation|#/.test(ada.page.url()), "the code stays in the address bar");
  await ada.fill("#title", "Staff meeting");
  await ada.click("#join");
  await ada.connected();
  room = ada.page.url();

  const bob = await arrive("Bob", link);
  await bob.useInvitation(link);
  await bob.page.waitForSelector("#making", { visible: true });
  await bob.goto(room);
  await bob.join();
  await Promise.all([bob.hears("Ada", HERTZ), ada.hears("Bob", HERTZ)]);

  const late = await arrive("Late", link);
  await late.useInvitation(link);
  await late.says("#code-error", DOES_NOT_HOLD);
}

async function passOn() {
  await people.Ada.click("#invite");
  await people.Ada.says("#needs-invitation", /needs an invitation/);
  await people.Ada.click("#room-close");
  const window = await people.Ada.anotherWindow();
  await window.says("#invites-left", /one more person/);
  await window.screenshot("invitations-of-ones-own");
  await window.click("#invites-create");
  await window.says("#invites-left", /All your invitations are given/);
  const link = await window.page.$eval("#made-invite", (field) => field.value);
  await window.page.close();
  const cy = await arrive("Cy", link);
  await cy.useInvitation(link);
  await cy.page.waitForSelector("#making", { visible: true });
  await cy.goto(room);
  await cy.join();
  await cy.hears("Ada", HERTZ);

  const di = await arrive("Di", link);
  await di.useInvitation(link);
  await di.says("#code-error", DOES_NOT_HOLD); // it has run out
  await di.goto(room);
  await di.says("#entrance-title", /need an invitation/);
}

async function openAWave() {
  await admin.makeWave("From the list", { invitations: 0, fromList: 1 });
  await admin.openWave("From the list");
  const { Eve: eve } = people;
  await eve.page.waitForSelector("#join-form", { visible: true, timeout: 60_000 }); // by itself
  await eve.goto(room);
  await eve.join();
  await eve.hears("Ada", HERTZ);
}

async function openToEveryone() {
  await admin.click("#open-service");
  await admin.says("#admission-text", /Everyone/);
  const { Di: di } = people;
  await di.page.reload();
  await di.join();
  await di.hears("Ada", HERTZ);
  await di.click("#invite");
  expect(!(await di.shows("#needs-invitation")), "an invitation is asked for that nobody needs");
  await di.click("#room-close");
  expect(!(await di.shows("#invites")), "invitations are offered that nobody needs");
}

async function ban() {
  const { Ada: ada, Bob: bob } = people;
  await admin.fill("#search", "Bob");
  await admin.page.keyboard.press("Enter");
  await admin.page.waitForFunction(() => document.querySelectorAll("#in-list .row").length === 1);
  await admin.screenshot("administration");
  await admin.click('[aria-label="Ban… Bob"]');
  await admin.click("#ban-confirm");
  await bob.says("#ended-text", /banned/);
  await ada.until("Bob's end", ({ participants }) => (
    participants.some(({ name }) => name === "Bob") ? "still there" : null));
  await admin.page.waitForSelector('[aria-label="Lift the ban Bob"]', { visible: true });
  await bob.page.reload();
  await bob.says("#ended-text", /banned/);
  await bob.goto(pageUrl);
  await bob.says("#ended-text", /banned/);
  expect(!(await bob.shows("#join-form")), "who is banned may start a room");
  await people.Cy.hears("Ada", HERTZ);

  await admin.click('[aria-label="Lift the ban Bob"]');
  await admin.page.waitForSelector('[aria-label="Lift the ban Bob"]', { hidden: true });
  await bob.goto(room);
  await bob.join();
  await bob.hears("Ada", HERTZ);
}

async function step(name, work) {
  summary.at = name;
  await work();
  summary.steps[name] = { doneAfterSeconds: seconds() };
}

try {
  await withBrowsers(BOUND_MS, async ({ launch, folder }) => {
    const microphone = path.join(folder, "tone.wav");
    writeTone(microphone, HERTZ);
    browser = await launch.chromium({ microphone });
    await step("close the service", closeTheService);
    await step("keep strangers out", keepStrangersOut);
    await step("invite the staff", inviteTheStaff);
    await step("pass an invitation on", passOn);
    await step("open a wave", openAWave);
    await step("open to everyone", openToEveryone);
    await step("ban", ban);
    expect(StagePage.errors.length === 0, `the pages' code failed: ${StagePage.errors.join("; ")}`);
  });
  console.log(JSON.stringify(summary, null, 2));
} catch (error) {
  console.error(`failed after ${seconds()} s, at "${summary.at}": ${error.message}`);
  for (const { name, waitingFor, complaint } of pages) {
    if (complaint) console.error(`${name} waited for ${waitingFor}: ${complaint}`);
  }
  console.error(table(pages));
  console.error(`the pages' code: ${StagePage.errors.join("; ")}`);
  process.exitCode = 1;
}
