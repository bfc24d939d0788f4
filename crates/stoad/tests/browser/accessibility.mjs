// Everybody can use the page: axe-core finds nothing serious in any of its views, light or dark, wide
// or narrow; and the main things are done with the keyboard alone.
//
// Prints a summary as JSON and ends with 0, or prints what went wrong and ends with 1.

import { expect, focusIsIn, look, press, summary, tabTo } from "./lib/accessible.mjs";
import { withBrowsers } from "./lib/browsers.mjs";
import { StagePage } from "./lib/stage_page.mjs";
import * as settings from "./lib/settings.mjs";

const BOUND_MS = 150_000;

/** A page at an address, with no hand on it yet. */
async function open(browser, address, name) {
  const page = new StagePage(await browser.newPage(), name, 0);
  page.page.on("pageerror", (error) => StagePage.errors.push(`${name}: ${error.message}`));
  await page.page.goto(address);
  return page;
}

async function makeRoom(host) {
  const { page } = host;
  await look(page, "the form to make a room");
  await tabTo(page, "#name");
  await page.keyboard.type(host.name);
  await tabTo(page, "#title");
  await page.keyboard.type("Keyboard");
  await tabTo(page, "#kind-open");
  await page.keyboard.press("ArrowDown");
  await press(page, "#join");
  await host.connected();
  await look(page, "the room of a moderator alone");
}

async function makeLink(host) {
  const { page } = host;
  await press(page, "#invite");
  await page.waitForSelector("#room-dialog[open]");
  await press(page, "#create-link");
  await page.waitForFunction(() => document.getElementById("made-link").value !== "");
  await look(page, "the dialog about the room");
  const link = await page.$eval("#made-link", (field) => field.value);
  await page.keyboard.press("Escape");
  await page.waitForSelector("#room-dialog:not([open])");
  expect(await focusIsIn(page, "#invite"), "the focus does not go back to where the dialog was opened");
  return link;
}

async function raiseAndInvite(host, guest) {
  await look(guest.page, "the form of an invited listener");
  await tabTo(guest.page, "#name");
  await guest.page.keyboard.type(guest.name);
  await guest.page.keyboard.press("Enter");
  await guest.connected();
  await press(guest.page, "#hand", "Space");
  await host.sees(guest.name, "the hand", (person) => person.handRaisedAt > 0);
  await host.page.waitForSelector("#hands-list .row", { visible: true });
  await look(host.page, "the room with a raised hand");
  await press(host.page, "#hands-list .invite");
  await guest.page.waitForSelector("#invitation", { visible: true });
  await look(guest.page, "the room of who is invited");
  // The page tells together what comes together, so a moment later.
  const isTold = () => /invited to speak/.test(document.getElementById("announcements").textContent);
  const told = () => guest.page.$eval("#announcements", (region) => region.textContent);
  await guest.page.waitForFunction(isTold).catch(async () => {
    throw new Error(`the live region says "${await told()}"`);
  });
  await press(guest.page, "#accept");
  await host.sees(guest.name, "the promotion", (person) => person.role === "speaker");
  await guest.page.waitForFunction(() => document.activeElement.closest("#controls"));
}

async function moderate(host, guest) {
  const { page } = host;
  const { you } = await guest.observe();
  const tile = `[data-participant-id="${you.id}"] button`;
  await press(page, tile);
  await page.waitForSelector("#person-dialog[open]");
  await look(page, "the dialog about a person");
  expect(await focusIsIn(page, "#person-dialog"), "the focus is not in the dialog");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#person-dialog:not([open])");
  expect(await focusIsIn(page, tile), "the focus does not go back to the tile");
  await press(page, tile);
  await press(page, "#person-actions button:nth-child(2)");
  await guest.sees(guest.name, "the mute", (person) => person.mutedByModerator);
  await look(guest.page, "the room of who is muted");
}

async function leave(guest) {
  await press(guest.page, "#step-down");
  await guest.sees(guest.name, "the way to the audience", (person) => person.role === "listener");
  await press(guest.page, "#leave");
  await guest.page.waitForSelector("#join-view", { visible: true });
  expect(await focusIsIn(guest.page, "#join-form"), "the focus is lost after leaving");
}

try {
  await withBrowsers(BOUND_MS, async ({ launch }) => {
    const browsers = await Promise.all([launch.chromium(), launch.chromium()]);
    const host = await open(browsers[0], settings.pageUrl, "Hope");
    await makeRoom(host);
    const guest = await open(browsers[1], await makeLink(host), "Gus");
    await raiseAndInvite(host, guest);
    await moderate(host, guest);
    await leave(guest);
    const stranger = await open(browsers[1], guest.page.url().replace(/room=[^&#]*/, "room=nowhere-at-all#dead"), "Eve");
    await stranger.page.waitForSelector("#ended", { visible: true });
    await look(stranger.page, "a link that does not hold");
    expect(StagePage.errors.length === 0, `the pages' code failed: ${StagePage.errors.join("; ")}`);
  });
  console.log(JSON.stringify(summary, null, 2));
} catch (error) {
  console.error(`failed after ${summary.at}: ${error.message}`);
  process.exitCode = 1;
}
