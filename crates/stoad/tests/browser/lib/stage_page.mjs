// A page of a room with a stage and an audience: what people do there, by the page's own buttons.

import { RoomPage, pause, tracksWith } from "./room_page.mjs";
import * as settings from "./settings.mjs";

const POLL_MS = 100;

export class StagePage extends RoomPage {
  /** What went wrong in the page's own code, of all pages. */
  static errors = [];

  /** Makes a room with a stage, as its moderator. */
  static async host(browser, { name, hertz, title }) {
    const page = await StagePage.#open(browser, { name, hertz }, settings.pageUrl);
    await page.page.type("#name", name);
    await page.page.type("#title", title);
    await page.page.click("#kind-stage");
    await page.page.click("#join");
    return page;
  }

  /** Comes in by a link. */
  static async guest(browser, { name, hertz, link }) {
    const page = await StagePage.#open(browser, { name, hertz }, link);
    await page.page.$eval("#name", (field) => { field.value = ""; }); // the browser may know it still
    await page.page.type("#name", name);
    await page.page.click("#join");
    return page;
  }

  static async #open(browser, { name, hertz }, address) {
    const page = new StagePage(await browser.newPage(), name, hertz);
    page.page.on("pageerror", (error) => StagePage.errors.push(`${name}: ${error.stack ?? error.message}`));
    page.page.on("console", (message) => {
      if (["warn", "error"].includes(message.type())) console.error(`${name}: ${message.text()}`);
    });
    const url = new URL(address);
    url.searchParams.set("ec", "0");
    await page.page.goto(url.href);
    return page;
  }

  connected() {
    return this.until("the media connection", ({ connection }) => (
      connection === "connected" ? null : `the connection is ${connection}`));
  }

  /** Waits until the person of this name is as they should be. */
  sees(name, what, check) {
    return this.until(what, ({ participants }) => {
      const person = participants.find((p) => p.name === name);
      if (!person) return `${name} is not there`;
      return check(person) ? null : JSON.stringify(person);
    });
  }

  /** Waits until this tone is heard, from this person. */
  hears(name, hertz) {
    return this.until(`${name}'s tone`, (seen) => {
      const tracks = tracksWith(seen, hertz);
      if (tracks.length === 0) return `${hertz} Hz is on no track`;
      const csrc = seen.participants.find((p) => p.name === name)?.csrc;
      return tracks.some(({ csrcs }) => csrcs[0] === csrc) ? null : `${hertz} Hz is not ${name}'s`;
    });
  }

  /** Waits until this tone has not been heard for a while. */
  async doesNotHear(hertz, samples = 15) {
    let silent = 0;
    await this.until(`silence at ${hertz} Hz`, (seen) => {
      silent = tracksWith(seen, hertz).length > 0 ? 0 : silent + 1;
      return silent >= samples ? null : `silent in ${silent} samples in a row`;
    });
  }

  /** Waits for what the selector finds to be seen, and clicks it. */
  async click(selector) {
    await this.page.waitForSelector(selector, { visible: true });
    await this.page.click(selector);
  }

  /** Whether what the selector finds is seen. */
  shows(selector) {
    return this.page.$eval(selector, (element) => element.checkVisibility()).catch(() => false);
  }

  text(selector) {
    return this.page.$eval(selector, (element) => element.textContent.trim());
  }

  /** Opens what can be done about a person, and chooses. */
  async choose(name, label) {
    await this.openPerson(name);
    await this.#clickButton("#person-actions button", label);
  }

  /** Opens the dialog about a person, on the stage or in the audience. */
  async openPerson(name) {
    await this.#waitFor(`${name}'s button`, () => this.page.evaluate((wanted) => {
      const items = [...document.querySelectorAll("#tiles .tile, #audience-list .listener")];
      const item = items.find((i) => i.querySelector(".name").textContent === wanted);
      item?.querySelector("button").click();
      return Boolean(item);
    }, name));
    await this.page.waitForSelector("#person-dialog[open]");
  }

  /** Makes a link in the dialog for moderators, and closes it. */
  async newLink(role, label) {
    await this.click("#invite");
    await this.page.waitForSelector("#room-dialog[open]");
    await this.page.select("#link-role", role);
    await this.page.type("#link-label", label);
    await this.page.$eval("#made-link", (field) => { field.value = ""; });
    await this.click("#create-link");
    await this.page.waitForFunction(() => document.getElementById("made-link").value !== "");
    const link = await this.page.$eval("#made-link", (field) => field.value);
    await this.page.click("#room-close");
    return link;
  }

  /** The names in the audience. */
  audience() {
    return this.page.$$eval("#audience-list .listener .name", (all) => all.map((name) => name.textContent));
  }

  async #clickButton(selector, label) {
    await this.#waitFor(`the button "${label}"`, () => this.page.evaluate((all, wanted) => {
      const button = [...document.querySelectorAll(all)].find((b) => b.textContent === wanted);
      button?.click();
      return Boolean(button);
    }, selector, label));
  }

  async #waitFor(what, attempt) {
    this.waitingFor = what;
    this.complaint = "it is not there";
    while (!(await attempt())) await pause(POLL_MS);
    this.complaint = "";
  }
}
