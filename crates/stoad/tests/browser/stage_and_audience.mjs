// A moderator, a guest and a witness in one room: the guest raises a hand, is invited, comes to the
// stage and is heard; is silenced by the witness alone; is muted by the moderator and cannot undo it;
// is moved to the audience, and removed. Each is seen and heard on the other pages.
//
// Prints a summary as JSON and ends with 0, or prints what was heard on each page and ends with 1.

import path from "node:path";

import { withBrowsers } from "./lib/browsers.mjs";
import { table } from "./lib/room_page.mjs";
import { StagePage } from "./lib/stage_page.mjs";
import { writeTone } from "./lib/tone.mjs";

const BOUND_MS = 150_000;

const HOST = { name: "Hope", hertz: 440 };
const GUEST = { name: "Gus", hertz: 880 };
const WITNESS = { name: "Wilma", hertz: 660 };

const started = Date.now();
const seconds = () => Number(((Date.now() - started) / 1000).toFixed(1));
const summary = { browsers: {}, steps: {} };
const pages = [];

function expect(condition, text) {
  if (!condition) throw new Error(text);
}

async function enter({ launch, folder }) {
  const tone = ({ name, hertz }) => {
    const file = path.join(folder, `${name}.wav`);
    writeTone(file, hertz);
    return file;
  };
  const browsers = await Promise.all([
    launch.chromium({ microphone: tone(HOST) }),
    launch.chromium({ microphone: tone(GUEST) }),
    launch.firefox(WITNESS),
  ]);
  for (const [i, { name }] of [HOST, GUEST, WITNESS].entries()) summary.browsers[name] = await browsers[i].version();
  const host = await StagePage.host(browsers[0], { ...HOST, title: "Friday stage" });
  pages.push(host);
  await host.connected();
  const link = await host.newLink("listener", "for the audience");
  for (const [i, person] of [GUEST, WITNESS].entries()) {
    pages.push(await StagePage.guest(browsers[i + 1], { ...person, link }));
  }
  await Promise.all(pages.map((page) => page.connected()));
  const [, guest, witness] = pages;
  await Promise.all([guest, witness].map((page) => page.hears(HOST.name, HOST.hertz)));
  expect(!(await guest.shows("#mute")), "a listener has a microphone button");
  expect((await guest.page.url()).includes("#") === false, "the link's secret stays in the address bar");
  const { participants } = await host.observe();
  expect(participants.find(({ name }) => name === GUEST.name).role === "listener", "the guest is no listener");
}

async function raiseHand([host, guest, witness]) {
  await guest.click("#hand");
  await Promise.all([host, witness].map((page) => page.sees(GUEST.name, "the hand", (p) => p.handRaisedAt > 0)));
  await host.page.waitForSelector("#hands-list .row", { visible: true });
  expect((await host.text("#hands-list .name")) === GUEST.name, "the moderator does not see whose hand it is");
  expect(!(await witness.shows("#hands")), "a listener is shown the moderator's list");
  await host.doesNotHear(GUEST.hertz, 5);
  await host.screenshot("hand");
}

async function comeToTheStage([host, guest, witness]) {
  await host.click("#hands-list .invite");
  await guest.click("#accept");
  await Promise.all(pages.map((page) => page.sees(GUEST.name, "the promotion", (p) => p.role === "speaker")));
  await Promise.all([host, witness].map((page) => page.hears(GUEST.name, GUEST.hertz)));
  for (const page of pages) expect((await page.names()).includes(GUEST.name), `no tile on ${page.name}'s page`);
  expect((await guest.observe()).tracks.length === 3, "there was a negotiation");
  await witness.screenshot("heard");
}

async function silence([host, , witness]) {
  await witness.choose(GUEST.name, "Do not hear them");
  await witness.doesNotHear(GUEST.hertz);
  await Promise.all([host.hears(GUEST.name, GUEST.hertz), witness.hears(HOST.name, HOST.hertz)]);
  expect(await witness.shows(".tile .state-silenced") || await witness.shows(".tile[data-silenced='true']"), "no mark");
  await witness.choose(GUEST.name, "Hear them again");
  await witness.hears(GUEST.name, GUEST.hertz);
}

async function mute([host, guest, witness]) {
  await host.choose(GUEST.name, "Mute for everybody");
  await Promise.all(pages.map((page) => page.sees(GUEST.name, "the mute", (p) => p.mutedByModerator)));
  await Promise.all([host, witness].map((page) => page.doesNotHear(GUEST.hertz)));
  for (const page of pages) {
    await page.page.waitForFunction(() => document.querySelector('.tile[data-muted-by-moderator="true"]'));
    expect(await page.showsMuted(GUEST.name), `${page.name} sees no badge`);
  }
  await guest.page.waitForFunction(() => document.getElementById("mute").disabled);
  await guest.page.$eval("#mute", (button) => button.click());
  await guest.page.keyboard.press("m");
  await Promise.all([host, witness].map((page) => page.doesNotHear(GUEST.hertz)));
  expect((await guest.observe()).you.mutedByModerator, "the guest has undone the mute");
  await guest.screenshot("muted-by-moderator");

  await host.choose(GUEST.name, "End their mute");
  await guest.sees(GUEST.name, "the end of the mute", (p) => !p.mutedByModerator);
  await host.doesNotHear(GUEST.hertz); // nobody else switches a microphone on
  await guest.page.waitForFunction(() => !document.getElementById("mute").disabled);
  await guest.click("#mute");
  await Promise.all([host, witness].map((page) => page.hears(GUEST.name, GUEST.hertz)));
}

async function moveToTheAudience([host, guest, witness]) {
  await host.choose(GUEST.name, "Move to the audience");
  await Promise.all(pages.map((page) => page.sees(GUEST.name, "the demotion", (p) => p.role === "listener")));
  await Promise.all([host, witness].map((page) => page.doesNotHear(GUEST.hertz)));
  for (const page of pages) {
    await page.page.waitForFunction(
      (name) => [...document.querySelectorAll("#audience-list .name")].some((n) => n.textContent === name), {}, GUEST.name);
    expect(!(await page.names()).includes(GUEST.name), `the tile stays on ${page.name}'s page`);
  }
  await guest.page.waitForSelector("#hand", { visible: true });
}

async function remove([host, guest, witness]) {
  await host.choose(GUEST.name, "Remove from the room…");
  await host.click("#remove-confirm");
  await guest.page.waitForSelector("#ended", { visible: true });
  expect(/removed you/.test(await guest.text("#ended-text")), "the guest is not told why");
  await Promise.all([host, witness].map((page) => page.until("the guest's end", ({ participants }) => (
    participants.some(({ name }) => name === GUEST.name) ? "still there" : null))));
  await guest.page.reload();
  await guest.page.waitForSelector("#ended", { visible: true });
  expect(/removed you/.test(await guest.text("#ended-text")), "the door is open after a reload");
  await witness.hears(HOST.name, HOST.hertz);
}

async function step(name, work) {
  await work(pages);
  summary.steps[name] = { doneAfterSeconds: seconds() };
}

try {
  await withBrowsers(BOUND_MS, async (tools) => {
    await step("enter", () => enter(tools));
    await step("raise a hand", raiseHand);
    await step("come to the stage", comeToTheStage);
    await step("silence", silence);
    await step("mute", mute);
    await step("move to the audience", moveToTheAudience);
    await step("remove", remove);
    expect(StagePage.errors.length === 0, `the pages' code failed: ${StagePage.errors.join("; ")}`);
  });
  console.log(JSON.stringify(summary, null, 2));
} catch (error) {
  console.error(`failed after ${seconds()} s: ${error.message}`);
  for (const { name, waitingFor, complaint } of pages) {
    if (complaint) console.error(`${name} waited for ${waitingFor}: ${complaint}`);
  }
  console.error(table(pages));
  console.error(`done before: ${JSON.stringify(summary.steps)}`);
  process.exitCode = 1;
}
