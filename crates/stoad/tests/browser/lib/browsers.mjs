// Starting browsers, and ending them whatever happens.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { startAudioOutput } from "./audio_output.mjs";
import * as settings from "./settings.mjs";

const CLOSE_MS = 5_000;

const CHROMIUM_ARGUMENTS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream",
  "--allow-loopback-in-peer-connection",
  "--autoplay-policy=no-user-gesture-required",
];

// The first group makes the microphone and WebRTC work without hardware; the rest keeps Firefox
// from calling anybody but the page.
const FIREFOX_PREFERENCES = {
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.peerconnection.ice.loopback": true,
  "media.autoplay.default": 0,

  "app.normandy.enabled": false,
  "app.update.auto": false,
  "app.update.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.discovery.enabled": false,
  "browser.newtabpage.enabled": false,
  "browser.region.network.url": "",
  "browser.safebrowsing.blockedURIs.enabled": false,
  "browser.safebrowsing.downloads.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.safebrowsing.provider.google4.updateURL": "",
  "browser.safebrowsing.provider.mozilla.updateURL": "",
  "browser.search.update": false,
  "browser.topsites.contile.enabled": false,
  "datareporting.healthreport.uploadEnabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.push.enabled": false,
  "extensions.blocklist.enabled": false,
  "extensions.getAddons.cache.enabled": false,
  "extensions.systemAddon.update.enabled": false,
  "extensions.update.enabled": false,
  "geo.enabled": false,
  "media.gmp-manager.url": "",
  "media.gmp-provider.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.dns.disablePrefetch": true,
  "network.prefetch-next": false,
  "network.trr.mode": 5,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "toolkit.telemetry.enabled": false,
  "toolkit.telemetry.server": "",
  "toolkit.telemetry.unified": false,
};

/**
 * Runs `work(launch)` and then ends every browser that it launched, also after an error, a signal or
 * `boundMs` milliseconds. Resolves to what `work` did.
 */
export async function withBrowsers(boundMs, work) {
  const puppeteer = settings.puppeteer();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "stoa-browsers-"));
  const browsers = [];
  const outputs = [];
  const launch = async (options) => {
    const browser = await puppeteer.launch({ headless: true, ...options });
    browsers.push(browser);
    return browser;
  };
  let timer;
  const onSignal = () => {
    for (const browser of browsers) kill(browser);
    for (const output of outputs) output.end();
    fs.rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  };
  process.once("SIGTERM", onSignal).once("SIGINT", onSignal);
  const tooLate = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${boundMs / 1000} s`)), boundMs);
  });
  try {
    return await Promise.race([work({ launch: launchers(launch, outputs, folder), folder }), tooLate]);
  } finally {
    clearTimeout(timer);
    await Promise.all(browsers.map(end));
    for (const output of outputs) output.end();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
  }
}

function launchers(launch, outputs, folder) {
  let count = 0;
  const profile = () => {
    count += 1;
    const made = path.join(folder, `profile-${count}`);
    fs.mkdirSync(made);
    return made;
  };
  return {
    /**
     * A Chromium that says what is in the file, or the fake device's beeps; it asks nobody. An insecure
     * one takes every certificate.
     */
    chromium: ({ microphone = null, ask = false, insecure = false } = {}) => {
      const more = [
        ...(microphone ? [`--use-file-for-fake-audio-capture=${microphone}`] : []),
        ...(ask ? [] : ["--use-fake-ui-for-media-stream"]),
      ];
      return launch({
        executablePath: settings.chromium(),
        userDataDir: profile(),
        acceptInsecureCerts: insecure,
        args: [...CHROMIUM_ARGUMENTS, ...more],
      });
    },
    /** A Firefox that says a sine of this many hertz. */
    firefox: async ({ hertz }) => {
      if (outputs.length === 0) outputs.push(await startAudioOutput(folder));
      return launch({
        browser: "firefox",
        executablePath: settings.firefox(),
        userDataDir: profile(),
        env: { ...process.env, ...outputs[0].environment },
        extraPrefsFirefox: { ...FIREFOX_PREFERENCES, "media.navigator.audio.fake_frequency": hertz },
      });
    },
  };
}

/** Politely first, for a moment; then not. */
async function end(browser) {
  let timer;
  const enough = new Promise((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  await Promise.race([browser.close().catch(() => {}), enough]);
  clearTimeout(timer);
  kill(browser);
}

function kill(browser) {
  const pid = browser.process()?.pid;
  // Browsers are started as leaders of a process group of their own; either may be gone already.
  for (const target of pid ? [-pid, pid] : []) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // Gone.
    }
  }
}
