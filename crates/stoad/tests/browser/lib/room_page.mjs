// One page of stoa-talk in one browser: joined by its own buttons, read by its own test hook.

import fs from "node:fs";
import path from "node:path";

import * as settings from "./settings.mjs";

const POLL_MS = 100;
const TONE_TOLERANCE = 0.03;
const HEARD_DB = -45; // the tones come in at about -13 dB; silence is below -90

export class RoomPage {
  /** What is wrong while a `until` waits, for the failure's text. */
  complaint = "";

  constructor(page, name, hertz) {
    Object.assign(this, { page, name, hertz });
  }

  /** Opens the page in the browser and joins the room, as a person would. */
  static async join(browser, { name, hertz, room }) {
    const page = await browser.newPage();
    const joined = new RoomPage(page, name, hertz);
    page.on("pageerror", (error) => console.error(`${name}: ${error.message}`));
    page.on("console", (message) => {
      if (["warn", "error"].includes(message.type())) console.error(`${name}: ${message.text()}`);
    });
    const url = new URL(settings.pageUrl);
    url.searchParams.set("room", room);
    url.searchParams.set("ec", "0");
    await page.goto(url.href);
    await page.type("#name", name);
    await page.click("#join");
    return joined;
  }

  /** What the page knows and hears now. */
  observe() {
    return this.page.evaluate(() => {
      const { you, participants, tracks, connection } = window.stoaTalk;
      return { you, participants, tracks, connection };
    });
  }

  /** Waits until `check(observation)` finds nothing to complain about. */
  async until(what, check) {
    for (;;) {
      this.last = await this.observe();
      this.complaint = check(this.last) ?? "";
      if (this.complaint === "") return this.last;
      this.waitingFor = what;
      await pause(POLL_MS);
    }
  }

  /** Whether the person's tile says that they are muted, and shows it. */
  showsMuted(name) {
    return this.page.evaluate((wanted) => {
      const tiles = [...document.querySelectorAll("#tiles .tile")];
      const tile = tiles.find((t) => t.querySelector(".name").textContent === wanted);
      const badge = tile?.querySelector(".state-muted");
      return Boolean(badge) && getComputedStyle(badge).display !== "none";
    }, name);
  }

  /** The names on the tiles. */
  names() {
    return this.page.$$eval("#tiles .tile .name", (all) => all.map((name) => name.textContent));
  }

  async screenshot(label) {
    if (!settings.screenshots) return;
    fs.mkdirSync(settings.screenshots, { recursive: true });
    const file = `${label}-${this.name.toLowerCase()}.png`;
    await this.page.screenshot({ path: path.join(settings.screenshots, file) });
  }
}

/** The tracks on which this tone is what is heard. */
export function tracksWith(observation, hertz) {
  return observation.tracks.filter(({ level, dominantFrequencyHz: heard }) => (
    level > HEARD_DB && heard !== null && Math.abs(heard - hertz) < hertz * TONE_TOLERANCE));
}

/** The name that goes with what the track carries, by its CSRC. */
export function speakerOf(observation, track) {
  const [csrc] = track.csrcs;
  return observation.participants.find((person) => person.csrc === csrc)?.name ?? null;
}

/** What a page heard, one line a track. */
export function table(pages) {
  const rows = [["page", "connection", "track", "CSRC", "speaker", "Hz", "dB"]];
  for (const { name, last } of pages) {
    if (!last?.tracks.length) rows.push([name, last?.connection ?? "not reached", "-", "-", "-", "-", "-"]);
    for (const track of last?.tracks ?? []) {
      const { mid, csrcs, dominantFrequencyHz: hertz, level } = track;
      const speaker = speakerOf(last, track) ?? "-";
      rows.push([name, last.connection, mid, csrcs.join(" ") || "-", speaker, hertz?.toFixed(0) ?? "-", level.toFixed(0)]);
    }
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd()).join("\n");
}

export function pause(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}
