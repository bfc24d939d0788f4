// What the scripts need from outside: `node SCRIPT.mjs [URL]`, and the environment.
//
//   STOA_TEST_URL           the page, where the argument is not given
//   STOA_TEST_CHROMIUM      the Chromium to drive
//   STOA_TEST_FIREFOX       the Firefox to drive
//   STOA_TEST_NODE_MODULES  the folder that has puppeteer-core and axe-core
//   STOA_TEST_ADMIN_KEY_FILE  the file with the key of the page's administrator
//   STOA_TEST_SCREENSHOTS   a folder for screenshots; without it there are none

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

export const pageUrl = process.argv[2] ?? required("STOA_TEST_URL");
export const screenshots = process.env.STOA_TEST_SCREENSHOTS ?? null;

export function chromium() {
  return executable("STOA_TEST_CHROMIUM");
}

export function firefox() {
  return executable("STOA_TEST_FIREFOX");
}

export function puppeteer() {
  const folder = path.resolve(required("STOA_TEST_NODE_MODULES"));
  return createRequire(path.join(folder, "x"))(path.join(folder, "puppeteer-core"));
}

/** The text of axe-core, to be run in a page. */
export function axe() {
  const folder = path.resolve(required("STOA_TEST_NODE_MODULES"));
  return fs.readFileSync(path.join(folder, "axe-core", "axe.min.js"), "utf8");
}

/** The key of the page's administrator. */
export function adminKey() {
  return fs.readFileSync(required("STOA_TEST_ADMIN_KEY_FILE"), "utf8").trim();
}

function executable(name) {
  const file = required(name);
  fs.accessSync(file, fs.constants.X_OK);
  return file;
}

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; see lib/settings.mjs`);
  return value;
}
