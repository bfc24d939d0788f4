// A listener in Chromium who tells when which tone was heard, for `onset.py`.
//
// `node ear.mjs PAGE PEERS`, as `crates/stoad/tests/browser/peers.mjs`: PEERS is a JSON list of one
// `{ "name", "lines", "tones", "seconds" }`. Prints `{ name, offer }`, and then again and again
// `{ name, statistics }`: what `getStats` counted in all lines together, and what was heard in the last
// three seconds. Reads `{ name, answer }`. Ends when its input does, or after so many seconds.

import fs from "node:fs";
import readline from "node:readline";

import { withBrowsers } from "../../crates/stoad/tests/browser/lib/browsers.mjs";
import { pause } from "../../crates/stoad/tests/browser/lib/room_page.mjs";
import * as settings from "../../crates/stoad/tests/browser/lib/settings.mjs";

const TELL_MS = 200;
const WORKLET = fs.readFileSync(new URL("ear_worklet.js", import.meta.url), "utf8");

const tell = (message) => console.log(JSON.stringify(message));

/** Runs in the page: makes the connection and the ear, and says what it offers. */
async function offer({ lines, tones }, worklet) {
  const memory = 600; // 5 ms each
  const context = new AudioContext({ sampleRate: 48_000 });
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: "text/javascript" })));
  const ear = new AudioWorkletNode(context, "ear", {
    channelCount: 1,
    channelCountMode: "explicit",
    processorOptions: { tones },
  });
  // What leads nowhere is not computed.
  ear.connect(context.destination);
  window.heard = [];
  ear.port.onmessage = ({ data }) => {
    window.heard.push(data);
    if (window.heard.length > memory) window.heard.shift();
  };
  const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (let line = 0; line < lines; line += 1) connection.addTransceiver("audio", { direction: "recvonly" });
  window.listening = [];
  connection.ontrack = ({ track }) => {
    const stream = new MediaStream([track]);
    // Chromium decodes only what an element plays.
    const audio = new Audio();
    audio.srcObject = stream;
    audio.play();
    const source = context.createMediaStreamSource(stream);
    source.connect(ear);
    window.listening.push(audio, source);
  };
  await connection.setLocalDescription(await connection.createOffer());
  window.connection = connection;
  return connection.localDescription.sdp;
}

/** Runs in the page: what was received so far, and what was heard of late. */
async function statistics() {
  const report = await window.connection.getStats();
  const inbound = [...report.values()].filter(({ type }) => type === "inbound-rtp");
  const sum = (name) => inbound.reduce((total, line) => total + (line[name] ?? 0), 0);
  const heard = [...window.heard];
  // A window is computed at that moment or later: the least delay of late is none.
  const origin = Math.min(...heard.map(({ now, computed }) => now - computed));
  return {
    connection: window.connection.connectionState,
    packets: sum("packetsReceived"),
    lost: sum("packetsLost"),
    samples: sum("totalSamplesReceived"),
    buffered_seconds: sum("jitterBufferDelay"),
    target_seconds: sum("jitterBufferTargetDelay"),
    emitted: sum("jitterBufferEmittedCount"),
    concealed: sum("concealedSamples"),
    concealed_silent: sum("silentConcealedSamples"),
    removed: sum("removedSamplesForAcceleration"),
    inserted: sum("insertedSamplesForDeceleration"),
    heard_until_ms: origin + (heard.at(-1)?.middle ?? 0),
    heard: heard.filter(({ tones }) => tones.length > 0).map(({ middle, tones }) => [origin + middle, tones]),
  };
}

const [ear] = JSON.parse(process.argv[3]);
await withBrowsers(ear.seconds * 1000, async ({ launch }) => {
  const browser = await launch.chromium();
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`${ear.name}: ${error.message}`));
  // The page is there for its origin alone, and forbids what is not its own.
  await page.setBypassCSP(true);
  await page.goto(settings.pageUrl);
  tell({ name: ear.name, offer: await page.evaluate(offer, ear, WORKLET) });
  const input = readline.createInterface({ input: process.stdin });
  let open = true;
  input.on("close", () => { open = false; });
  input.on("line", (line) => page.evaluate(
    (sdp) => window.connection.setRemoteDescription({ type: "answer", sdp }),
    JSON.parse(line).answer,
  ));
  while (open) {
    tell({ name: ear.name, statistics: await page.evaluate(statistics) });
    await pause(TELL_MS);
  }
});
