// A page publishes by WHIP and another one plays by WHEP, both with the client library of somebody else
// (whip-whep), from an origin that is not the node's.
//
// `node whip_and_whep.mjs ARGUMENTS`, where ARGUMENTS is JSON: `{ "whip", "whep", "publisher", "player",
// "hertz", "port" }`: two addresses, two tokens, the tone to publish, and where to serve the page. Prints
// `{ packets, energy }` once the player hears something. When the input ends, both leave by DELETE.

import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import readline from "node:readline";

import { withBrowsers } from "./lib/browsers.mjs";
import { pause } from "./lib/room_page.mjs";
import { writeTone } from "./lib/tone.mjs";

const BOUND_MS = 120_000;
const POLL_MS = 200;
// Two seconds of a voice: what was under way before the restart is far less.
const HEARD_PACKETS = 100;

const given = JSON.parse(process.argv[2]);
const library = path.join(process.env.STOA_TEST_NODE_MODULES, "whip-whep");

/** Serves an empty page and the library's files. */
function serve() {
  const files = { "/whip.js": "text/javascript", "/whep.js": "text/javascript" };
  const server = http.createServer((request, response) => {
    const type = files[request.url];
    if (type) response.writeHead(200, { "Content-Type": type }).end(fs.readFileSync(path.join(library, request.url)));
    else response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>WHIP</title>");
  });
  return new Promise((resolve) => server.listen(given.port, "127.0.0.1", () => resolve(server)));
}

/** Runs in the page. */
async function publish({ whip, publisher }) {
  const { WHIPClient } = await import("/whip.js");
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const track of stream.getAudioTracks()) connection.addTransceiver(track, { direction: "sendonly" });
  window.client = new WHIPClient();
  window.connection = connection;
  await window.client.publish(connection, whip, publisher);
  // What a page of another origin may read.
  return {
    resource: window.client.resourceURL.href,
    tag: window.client.etag,
    iceServers: connection.getConfiguration().iceServers.length,
  };
}

/** Runs in the page. */
async function play({ whep, player }) {
  const { WHEPClient } = await import("/whep.js");
  const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  connection.addTransceiver("audio", { direction: "recvonly" });
  connection.ontrack = ({ track }) => {
    const audio = new Audio();
    audio.srcObject = new MediaStream([track]);
    audio.play();
    window.audio = audio;
  };
  window.client = new WHEPClient();
  window.connection = connection;
  await window.client.view(connection, whep, player);
}

/** Runs in the page. */
async function heard() {
  const report = await window.connection.getStats();
  const [inbound] = [...report.values()].filter(({ type }) => type === "inbound-rtp");
  return { packets: inbound?.packetsReceived ?? 0, energy: inbound?.totalAudioEnergy ?? 0 };
}

const server = await serve();
await withBrowsers(BOUND_MS, async ({ launch, folder }) => {
  const microphone = path.join(folder, "tone.wav");
  writeTone(microphone, given.hertz);
  const browser = await launch.chromium({ microphone, insecure: true });
  const open = async (name) => {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(`${name}: ${error.message}`));
    page.on("requestfailed", (request) => console.error(`${name}: ${request.url()}: ${request.failure().errorText}`));
    await page.goto(`http://127.0.0.1:${given.port}/`);
    return page;
  };
  const ended = new Promise((resolve) => {
    readline.createInterface({ input: process.stdin }).on("close", resolve);
  });
  const [publisher, player] = [await open("publisher"), await open("player")];
  const told = await publisher.evaluate(publish, given);
  if (!/^".+"$/.test(told.tag ?? "") || told.iceServers !== 2) {
    throw new Error(`the page cannot read the headers: ${JSON.stringify(told)}`);
  }
  await player.evaluate(play, given);
  const until = async (holds) => {
    for (;;) {
      const now = await player.evaluate(heard);
      if (holds(now)) return now;
      await pause(POLL_MS);
    }
  };
  await until(({ energy }) => energy > 0);
  // The publisher restarts ICE: it has another ICE session, and is still heard.
  const tag = await publisher.evaluate(async () => {
    await window.client.restart();
    return window.client.etag;
  });
  if (!tag || tag === told.tag) throw new Error(`ICE was not restarted: ${told.tag}, ${tag}`);
  const after = await player.evaluate(heard);
  console.log(JSON.stringify(await until(({ packets }) => packets > after.packets + HEARD_PACKETS)));
  await ended;
  for (const page of [publisher, player]) await page.evaluate(() => window.client.stop());
});
server.close();
