// Somebody whose way to the service breaks comes back without doing anything, as who they were, and is
// heard again. And the same person in a second window: it takes over, and the first is told.
//
// Prints a summary as JSON and ends with 0, or prints what was heard on each page and ends with 1.

import path from "node:path";

import { withBrowsers } from "./lib/browsers.mjs";
import { proxyTo } from "./lib/proxy.mjs";
import { table } from "./lib/room_page.mjs";
import { pageUrl } from "./lib/settings.mjs";
import { StagePage } from "./lib/stage_page.mjs";
import { writeTone } from "./lib/tone.mjs";

const BOUND_MS = 90_000;
const HOST = { name: "Hope", hertz: 440 };
const GUEST = { name: "Gus", hertz: 880 };

const summary = { steps: [] };
const pages = [];

function expect(condition, text) {
  if (!condition) throw new Error(text);
}

async function enter({ launch, folder }, proxy) {
  const tone = ({ name, hertz }) => {
    const file = path.join(folder, `${name}.wav`);
    writeTone(file, hertz);
    return file;
  };
  const browsers = await Promise.all([HOST, GUEST].map((person) => launch.chromium({ microphone: tone(person) })));
  const host = await StagePage.host(browsers[0], { ...HOST, title: "Comings and goings" });
  pages.push(host);
  await host.connected();
  const link = new URL(await host.newLink("speaker", ""));
  const byProxy = new URL(proxy.url);
  byProxy.search = link.search;
  byProxy.hash = link.hash;
  const guest = await StagePage.guest(browsers[1], { ...GUEST, link: byProxy.href });
  pages.push(guest);
  await guest.connected();
  await host.hears(GUEST.name, GUEST.hertz);
  return browsers[1];
}

async function comeBack([host, guest], proxy) {
  const before = (await guest.observe()).you;
  proxy.cut();
  await guest.until("the loss", ({ connection }) => (connection === "failed" ? null : connection));
  await guest.connected();
  const now = (await guest.observe()).you;
  expect(now.id === before.id && now.role === "speaker", `${JSON.stringify(before)} is now ${JSON.stringify(now)}`);
  expect(now.csrc !== before.csrc, "it is the same session still: nothing was lost");
  await host.hears(GUEST.name, GUEST.hertz);
  expect(!(await guest.shows("#notice")), "the notice stays");
}

async function openAgain([host, guest], browser) {
  const { you } = await guest.observe();
  const second = await StagePage.guest(browser, { ...GUEST, link: guest.page.url() });
  pages.push(second);
  await second.connected();
  expect((await second.observe()).you.id === you.id, "the second window is somebody else");
  await guest.page.waitForSelector("#notice", { visible: true });
  expect(/another window/.test(await guest.text("#notice-text")), "the first window is not told why");
  await host.hears(GUEST.name, GUEST.hertz);
  const { participants } = await host.observe();
  expect(participants.length === 2, `${participants.length} people are there`);
}

async function step(name, work) {
  const outcome = await work();
  summary.steps.push(name);
  return outcome;
}

const proxy = await proxyTo(pageUrl);
try {
  await withBrowsers(BOUND_MS, async (tools) => {
    const browser = await step("enter", () => enter(tools, proxy));
    await step("come back", () => comeBack(pages, proxy));
    await step("open again", () => openAgain(pages, browser));
    expect(StagePage.errors.length === 0, `the pages' code failed: ${StagePage.errors.join("; ")}`);
  });
  console.log(JSON.stringify(summary, null, 2));
} catch (error) {
  console.error(`failed: ${error.message}`);
  for (const { name, waitingFor, complaint } of pages) {
    if (complaint) console.error(`${name} waited for ${waitingFor}: ${complaint}`);
  }
  console.error(table(pages));
  console.error(`done before: ${JSON.stringify(summary.steps)}`);
  process.exitCode = 1;
} finally {
  proxy.close();
}
