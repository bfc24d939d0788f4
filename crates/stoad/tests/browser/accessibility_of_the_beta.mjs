// Everybody can use a service that is closed: axe-core finds nothing serious in what people see at the
// entrance, in their invitations and on the administrator's page; and the keyboard alone will do.
//
// Prints a summary as JSON and ends with 0, or prints what went wrong and ends with 1.

import { expect, focusIsIn, look, press, summary, tabTo } from "./lib/accessible.mjs";
import { BetaPage } from "./lib/beta_page.mjs";
import { withBrowsers } from "./lib/browsers.mjs";
import { StagePage } from "./lib/stage_page.mjs";
import * as settings from "./lib/settings.mjs";

const BOUND_MS = 150_000;

async function getOnTheList(browser) {
  const { page } = await BetaPage.open(browser, { name: "Wil" });
  await page.waitForSelector("#entrance-form", { visible: true });
  expect(await focusIsIn(page, "#entrance-view"), "the focus is not at the entrance");
  await look(page, "the entrance");
  await tabTo(page, "#entrance-name");
  await page.keyboard.type("Wil");
  await press(page, "#entrance-enter");
  expect(await focusIsIn(page, "#code"), "the focus does not go to what is missing");
  await look(page, "the entrance without a code");
  await press(page, "#entrance-wait");
  await page.waitForSelector("#entrance-since", { visible: true });
  await look(page, "the place on the list");
}

async function inviteOthers(browser, link) {
  const { page } = await BetaPage.open(browser, { name: "Ada" }, link);
  await page.waitForSelector("#entrance-form", { visible: true });
  await look(page, "the entrance of who is invited");
  await tabTo(page, "#entrance-name");
  await page.keyboard.type("Ada");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#invites", { visible: true });
  await look(page, "the form with invitations");
  await press(page, "#invites-create");
  await page.waitForSelector("#invites-made", { visible: true });
  await look(page, "the form with a new invitation");
  await press(page, "#invites-list .link-revoke");
  await page.waitForSelector("#invites-list .row", { hidden: true });
  expect(await focusIsIn(page, "#invites"), "the focus is lost after revoking");
}

async function ban({ page }) {
  await press(page, "#search-form button");
  await page.waitForSelector("#in-list .row", { visible: true });
  await look(page, "the administrator's page with people");
  await press(page, "#in-list .danger");
  await page.waitForSelector("#ban-dialog[open]");
  await look(page, "the question before a ban");
  await press(page, "#ban-confirm");
  await page.waitForSelector("#banned-list .row", { visible: true });
  expect(await focusIsIn(page, "#admin-view"), "the focus is lost after a ban");
  await look(page, "the administrator's page with a ban");
}

try {
  await withBrowsers(BOUND_MS, async ({ launch }) => {
    const browser = await launch.chromium();
    const keyless = await BetaPage.open(browser, { name: "Nobody" }, new URL("/admin", settings.pageUrl).href);
    await keyless.page.waitForSelector("#key-form", { visible: true });
    await look(keyless.page, "the question for the key");
    const admin = await BetaPage.administrator(browser);
    await press(admin.page, "#close-service");
    await admin.page.waitForSelector("#open-service", { visible: true });
    expect(await focusIsIn(admin.page, "#admin-view"), "the focus is lost after closing");
    const [link] = await admin.makeWave("Staff", { invitations: 1, invites: 2 });
    await look(admin.page, "the administrator's page with a wave");
    await press(admin.page, '[aria-label="Open Staff"]');
    await admin.page.waitForSelector('[aria-label="Open Staff"]', { hidden: true });
    await getOnTheList(browser);
    await inviteOthers(browser, link);
    await ban(admin);
    expect(StagePage.errors.length === 0, `the pages' code failed: ${StagePage.errors.join("; ")}`);
  });
  console.log(JSON.stringify(summary, null, 2));
} catch (error) {
  console.error(`failed after ${summary.at}: ${error.message}`);
  process.exitCode = 1;
}
