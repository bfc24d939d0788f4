// Three browsers in one room, each saying its own tone: each page hears the two others under their
// right names, and never itself. Then one mutes and comes back, and one goes without goodbye.
//
// Prints a summary as JSON and ends with 0, or prints what was heard on each page and ends with 1.

import path from "node:path";

import { withBrowsers } from "./lib/browsers.mjs";
import { RoomPage, pause, speakerOf, table, tracksWith } from "./lib/room_page.mjs";
import { writeTone } from "./lib/tone.mjs";

const BOUND_MS = 90_000;
const STEADY_MS = 3_000;
const SAMPLE_MS = 150;

const ADA = { name: "Ada", hertz: 440 };
const GRACE = { name: "Grace", hertz: 880 };
const HEDY = { name: "Hedy", hertz: 660 };
const PEOPLE = [ADA, GRACE, HEDY];

const room = `tones-${process.pid}-${Date.now().toString(36)}`;
const started = Date.now();
const seconds = () => Number(((Date.now() - started) / 1000).toFixed(1));
const pages = [];
const summary = { room, browsers: {}, steps: {} };

/** What is wrong with how this page hears that person; nothing if it is right. */
function hearsWrongly(seen, { name, hertz }) {
  const tracks = tracksWith(seen, hertz);
  if (tracks.length === 0) return `${name}'s ${hertz} Hz is on no track`;
  const speakers = tracks.map((track) => speakerOf(seen, track));
  if (speakers.every((speaker) => speaker === name)) return null;
  return `${hertz} Hz is ${name}'s, but the CSRC says ${speakers.join(", ")}`;
}

function hearsAll(people) {
  return (seen) => people.map((person) => hearsWrongly(seen, person)).find(Boolean);
}

function others(page, people = PEOPLE) {
  return people.filter(({ name }) => name !== page.name);
}

async function joinAll({ launch, folder }) {
  const speak = async ({ name, hertz }) => {
    const file = path.join(folder, `${name}.wav`);
    writeTone(file, hertz);
    return launch.chromium({ microphone: file });
  };
  const browsers = await Promise.all([speak(ADA), speak(GRACE), launch.firefox(HEDY)]);
  for (const [i, browser] of browsers.entries()) {
    summary.browsers[PEOPLE[i].name] = await browser.version();
    pages.push(await RoomPage.join(browser, { ...PEOPLE[i], room }));
  }
  await Promise.all(pages.map((page) => page.until("the media connection", ({ connection }) => (
    connection === "connected" ? null : `the connection is ${connection}`))));
}

/** For some seconds in a row: no page hears itself, and nobody under a wrong name. */
async function listenSteadily(page) {
  const heard = new Map(others(page).map(({ name }) => [name, 0]));
  const until = Date.now() + STEADY_MS;
  let samples = 0;
  for (; Date.now() < until; samples += 1) {
    page.last = await page.observe();
    if (tracksWith(page.last, page.hertz).length > 0) throw new Error(`${page.name} hears itself`);
    for (const person of others(page)) {
      if (tracksWith(page.last, person.hertz).length === 0) continue;
      const wrong = hearsWrongly(page.last, person);
      if (wrong) throw new Error(`on ${page.name}'s page ${wrong}`);
      heard.set(person.name, heard.get(person.name) + 1);
    }
    await pause(SAMPLE_MS);
  }
  for (const [name, count] of heard) {
    // A gap of a few samples is a busy machine; half of them would be broken audio.
    if (count * 2 < samples) throw new Error(`${page.name} heard ${name} in ${count} of ${samples} samples`);
  }
  return { samples, heard: Object.fromEntries(heard) };
}

async function muteAndBack([ada, ...rest]) {
  await ada.page.click("#mute");
  await Promise.all(rest.map(async (page) => {
    await page.until("Ada's silence", (seen) => {
      if (!seen.participants.find(({ name }) => name === "Ada")?.muted) return "Ada is not muted";
      return tracksWith(seen, ADA.hertz).length > 0 ? "Ada's tone is still there" : null;
    });
    if (!(await page.showsMuted("Ada"))) throw new Error(`${page.name} sees no muted badge on Ada`);
    await page.screenshot("muted");
  }));
  await ada.page.click("#mute");
  await Promise.all(rest.map(async (page) => {
    await page.until("Ada's return", hearsAll(others(page)));
    if (await page.showsMuted("Ada")) throw new Error(`${page.name} still sees Ada muted`);
  }));
}

async function vanish([ada, grace, hedy]) {
  // So that it is the tab that goes, not the browser.
  await hedy.page.browser().newPage();
  await hedy.page.close();
  await Promise.all([ada, grace].map(async (page) => {
    await page.until("Hedy's leaving", ({ participants }) => (
      participants.some(({ name }) => name === "Hedy") ? "Hedy is still there" : null));
    const names = await page.names();
    if (names.length !== 2 || names.includes("Hedy")) throw new Error(`${page.name} sees ${names}`);
    await page.until("the other's tone", hearsAll(others(page, [ADA, GRACE])));
  }));
}

async function step(name, work) {
  const outcome = await work();
  summary.steps[name] = { doneAfterSeconds: seconds(), ...outcome };
}

try {
  await withBrowsers(BOUND_MS, async (tools) => {
    await step("join", () => joinAll(tools));
    await step("hear", async () => {
      await Promise.all(pages.map((page) => page.until("the others' tones", hearsAll(others(page)))));
    });
    await step("steady", async () => {
      const outcomes = await Promise.all(pages.map(listenSteadily));
      await Promise.all(pages.map((page) => page.screenshot("hearing")));
      return Object.fromEntries(pages.map((page, i) => [page.name, outcomes[i]]));
    });
    await step("mute", () => muteAndBack(pages));
    await step("vanish", () => vanish(pages));
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
