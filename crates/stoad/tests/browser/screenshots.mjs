// Makes the pictures of docs/talk.md: node screenshots.mjs URL [FOLDER]. URL is the page of a running
// `stoad dev`; FOLDER is docs/images where it is not given. `eval "$(cargo xtask env)"` names the
// browser.

import fs from "node:fs";
import path from "node:path";

import { withBrowsers } from "./lib/browsers.mjs";
import { enterCrowd } from "./lib/crowd.mjs";
import { StagePage } from "./lib/stage_page.mjs";
import { pageUrl } from "./lib/settings.mjs";

const BOUND_MS = 180_000;
const MOST_BYTES = 150_000;
const DESKTOP = { width: 1280, height: 720 };
const PHONE = { width: 390, height: 844 }; // without `isMobile`: it would reload the page
const folder = process.argv[3] ?? path.join(import.meta.dirname, "../../../../docs/images");

const TITLE = "Sound and silence: an open question hour";
const SPEAKERS = [
  { name: "Grace", hertz: 330 },
  { name: "Hedy", hertz: 392 },
  { name: "Emmy" },
  { name: "Sofja" },
];
const LISTENERS = [
  "Alan", "Annie", "Barbara", "Blaise", "Carl", "Cecilia", "Charles", "Chien", "Dorothy", "Edith", "Ernst",
  "Evelyn", "Gottfried", "Henrietta", "Ida", "Jean", "Joan", "Karl", "Katherine", "Lise", "Maria",
  "Mary", "Mileva", "Niels", "Rosalind", "Srinivasa", "Tycho", "Vera", "Wang", "Émilie",
];
const RAISED = new Set(["Rosalind", "Blaise", "Vera"]);

async function picture(page, name, viewport, scheme) {
  await page.setViewport(viewport);
  await page.mouse.move(0, 0);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.evaluate(() => {
    document.getElementById("toast").hidden = true;
    window.scrollTo(0, 0);
    document.activeElement.blur();
  });
  await new Promise((resolve) => { setTimeout(resolve, 600); }); // for the next levels and frames
  const file = path.join(folder, `${name}.png`);
  await page.screenshot({ path: file });
  const { size } = fs.statSync(file);
  if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes`);
  console.log(`${file}: ${size} bytes`);
}

async function fill(host, launch) {
  const room = new URL(host.page.url()).searchParams.get("room");
  const token = async (role, label) => new URL(await host.newLink(role, label)).hash.slice(1);
  const [speaker, listener] = [await token("speaker", "Our guests"), await token("listener", "Everybody else")];
  const crowd = await (await launch.chromium()).newPage();
  await crowd.goto(pageUrl);
  await enterCrowd(crowd, room, [
    ...SPEAKERS.map((person) => ({ ...person, token: speaker })),
    ...LISTENERS.map((name) => ({ name, token: listener, hand: RAISED.has(name) })),
  ]);
  return { room, listener };
}

async function moderatorPictures(host) {
  const { page } = host;
  await page.click("#mute");
  await picture(page, "room-desktop-light", DESKTOP, "light");
  await picture(page, "room-desktop-dark", DESKTOP, "dark");
  await picture(page, "room-phone-dark", PHONE, "dark");
  await host.openPerson("Hedy");
  await picture(page, "person-phone-light", PHONE, "light");
  await page.keyboard.press("Escape");
  await page.setViewport(DESKTOP);
  await host.click("#invite");
  await page.waitForSelector("#links-list .row", { visible: true });
  await picture(page, "manage-desktop-light", DESKTOP, "light");
  await page.keyboard.press("Escape");
}

async function listenerPictures(host, launch, { room, listener }) {
  const url = new URL(pageUrl);
  url.searchParams.set("room", room);
  url.hash = listener;
  const page = await (await launch.chromium()).newPage();
  await page.goto(url.href);
  await page.type("#name", "Ada");
  await page.waitForFunction(() => document.getElementById("join-lead").textContent !== "");
  await picture(page, "join-phone-light", PHONE, "light");
  await page.click("#join");
  await page.waitForSelector("#hand", { visible: true });
  await page.waitForFunction(() => window.stoaTalk.connection === "connected");
  await page.click("#hand");
  await host.choose("Ada", "Invite to speak");
  await page.waitForSelector("#invitation", { visible: true });
  await picture(page, "room-phone-light", PHONE, "light");
}

fs.mkdirSync(folder, { recursive: true });
await withBrowsers(BOUND_MS, async ({ launch }) => {
  const browser = await launch.chromium();
  const door = await browser.newPage();
  await door.goto(pageUrl);
  await door.type("#name", "Maryam");
  await door.type("#title", TITLE);
  await picture(door, "start-desktop-light", DESKTOP, "light");
  const host = await StagePage.host(browser, { name: "Maryam", hertz: 0, title: TITLE });
  await host.connected();
  const links = await fill(host, launch);
  await moderatorPictures(host);
  await listenerPictures(host, launch, links);
});
