// A closed beta on real pages: the administrator's page, and people at the entrance.

import { StagePage } from "./stage_page.mjs";
import * as settings from "./settings.mjs";

/** Somebody's page; each has a browser of their own, as far as what it keeps is concerned. */
export class BetaPage extends StagePage {
  /** Opens the address, or the page's own. */
  static async open(browser, { name, hertz = 0 }, address = settings.pageUrl) {
    const context = await browser.createBrowserContext();
    const page = new BetaPage(await context.newPage(), name, hertz);
    page.#listen();
    await page.goto(address);
    return page;
  }

  /** The administrator's page. */
  static async administrator(browser) {
    const address = new URL("/admin", settings.pageUrl);
    address.hash = settings.adminKey();
    const page = await BetaPage.open(browser, { name: "Administrator" }, address.href);
    await page.page.waitForSelector("#admin-view", { visible: true });
    return page;
  }

  /** One more window of the same person, at the start page. */
  async anotherWindow() {
    const page = new BetaPage(await this.page.browserContext().newPage(), `${this.name}'s other window`, this.hertz);
    page.#listen();
    await page.goto(settings.pageUrl);
    return page;
  }

  async goto(address) {
    const url = new URL(address);
    url.searchParams.set("ec", "0");
    await this.page.goto(url.href);
  }

  /** Replaces what a field has. */
  async fill(selector, text) {
    await this.page.waitForSelector(selector, { visible: true });
    await this.page.$eval(selector, (field) => { field.value = ""; });
    await this.page.type(selector, String(text));
  }

  /** Waits until the page says at the entrance, or at its end, what matches. */
  async says(selector, pattern) {
    await this.page.waitForSelector(selector, { visible: true });
    await this.page.waitForFunction((wanted, source) => (
      new RegExp(source, "u").test(document.querySelector(wanted).textContent)), {}, selector, pattern.source);
  }

  /** Comes in with the link of an invitation. */
  async useInvitation(link) {
    await this.goto(link);
    await this.fill("#entrance-name", this.name);
    await this.click("#entrance-enter");
  }

  /** Joins the room that the address names. */
  async join() {
    await this.fill("#name", this.name);
    await this.click("#join");
    await this.connected();
  }

  /** As the administrator: makes a wave, and returns its links. */
  async makeWave(name, { invitations, places = 1, fromList = 0, invites = 0 }) {
    const fields = { invitations, places, "from-list": fromList, invites };
    await this.fill("#wave-name", name);
    for (const [field, number] of Object.entries(fields)) await this.fill(`#wave-${field}`, number);
    await this.page.$eval("#codes", (field) => { field.value = ""; });
    await this.click("#create-wave");
    await this.page.waitForSelector(`[aria-label="Open ${name}"]`, { visible: true });
    const codes = await this.page.$eval("#codes", (field) => field.value);
    return codes.split("\n").filter(Boolean);
  }

  /** As the administrator: opens a wave. */
  async openWave(name) {
    await this.click(`[aria-label="Open ${name}"]`);
    await this.page.waitForSelector(`[aria-label="Open ${name}"]`, { hidden: true });
  }

  #listen() {
    this.page.on("pageerror", (error) => StagePage.errors.push(`${this.name}: ${error.stack ?? error.message}`));
  }
}
