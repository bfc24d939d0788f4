// Participants in browsers without a page of their own: another program makes the calls of the control
// API for them, and is told what they receive.
//
// `node peers.mjs PAGE PEERS`, where PAGE is a page whose origin may use a microphone, or `none` for one of
// the script's own, and PEERS is JSON: a list of `{ "name", "firefox", "hertz", "redundancy",
// "listeningLines", "iceServers" }`. A peer is in Chromium or in Firefox, whistles a tone if it has one, prefers RED
// (RFC 2198) to plain Opus if it wants redundancy, and may listen on more lines than the one it speaks on.
// Prints one JSON object a line: `{ name, offer }` of each, and then again and again
// `{ name, statistics }`. Reads `{ name, answer }`, and `{ name, restart }`, after which it prints another
// offer, with which ICE begins anew. Ends when its input does.

import http from "node:http";
import path from "node:path";
import readline from "node:readline";

import { withBrowsers } from "./lib/browsers.mjs";
import { pause } from "./lib/room_page.mjs";
import * as settings from "./lib/settings.mjs";
import { writeTone } from "./lib/tone.mjs";

const BOUND_MS = 150_000;
const TELL_MS = 250;

const tell = (message) => console.log(JSON.stringify(message));

/** Runs in the page: makes the connection, and says what it offers. */
async function offer({ hertz, redundancy, listeningLines, iceServers }) {
  const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: iceServers ?? [] });
  const media = hertz
    ? await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    })
    : null;
  const line = connection.addTransceiver(media?.getAudioTracks()[0] ?? "audio", { direction: "sendrecv" });
  const { codecs } = RTCRtpReceiver.getCapabilities("audio");
  const named = (name) => codecs.filter(({ mimeType }) => mimeType.toLowerCase() === `audio/${name}`);
  const [first, second] = redundancy ? ["red", "opus"] : ["opus", "red"];
  line.setCodecPreferences([...named(first), ...named(second)]);
  for (let i = 0; i < (listeningLines ?? 0); i += 1) connection.addTransceiver("audio", { direction: "recvonly" });
  window.listening = [];
  connection.ontrack = ({ track }) => {
    // Chromium decodes only what somebody listens to.
    const audio = new Audio();
    audio.srcObject = new MediaStream([track]);
    audio.play();
    window.listening.push(audio);
  };
  await connection.setLocalDescription(await connection.createOffer());
  if (iceServers) {
    // What a relay gives is in the offer only when all is gathered.
    await new Promise((resolve) => {
      const look = () => { if (connection.iceGatheringState === "complete") resolve(); };
      connection.addEventListener("icegatheringstatechange", look);
      look();
    });
  }
  window.connection = connection;
  return connection.localDescription.sdp;
}

/** Runs in the page: another offer of the same connection, with which ICE begins anew. */
async function restart() {
  const { connection } = window;
  await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
  return connection.localDescription.sdp;
}

/** Runs in the page: what was received so far, and how it is protected. */
async function statistics() {
  const report = await window.connection.getStats();
  const all = [...report.values()];
  const of = (type) => all.filter((entry) => entry.type === type);
  const [inbound] = of("inbound-rtp");
  const receivers = window.connection.getReceivers();
  const pair = report.get(of("transport")[0]?.selectedCandidatePairId);
  const local = report.get(pair?.localCandidateId);
  return {
    browser: navigator.userAgent,
    connection: window.connection.connectionState,
    // Of the first line.
    packets: inbound?.packetsReceived ?? 0,
    lost: inbound?.packetsLost ?? 0,
    // Chromium counts so what it has already: where nothing is lost, all that is sent twice.
    discarded: inbound?.packetsDiscarded ?? 0,
    bytes: inbound?.bytesReceived ?? 0,
    samples: inbound?.totalSamplesReceived ?? 0,
    concealed: inbound?.concealedSamples ?? 0,
    energy: inbound?.totalAudioEnergy ?? 0,
    // Of all lines.
    energies: of("inbound-rtp").map((line) => line.totalAudioEnergy ?? 0),
    csrcs: receivers.flatMap((receiver) => receiver.getContributingSources().map(({ source }) => source)),
    reports: [...new Set(all.map(({ type }) => type).filter((type) => type.startsWith("remote-")))],
    transport: of("transport")[0] ?? null,
    // By which way its datagrams travel.
    way: {
      localType: local?.candidateType ?? null,
      protocol: local?.relayProtocol ?? local?.protocol ?? null,
    },
  };
}

/** Serves an empty page on loopback, which is an origin that may use a microphone. Resolves to its address. */
async function emptyPage() {
  const server = http.createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>nothing</title>");
  });
  server.unref();
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return `http://127.0.0.1:${server.address().port}/`;
}

async function start(peer, origin, { launch, folder }) {
  const microphone = peer.hertz && !peer.firefox ? path.join(folder, `${peer.name}.wav`) : null;
  if (microphone) writeTone(microphone, peer.hertz);
  const browser = await (peer.firefox ? launch.firefox(peer) : launch.chromium({ microphone }));
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`${peer.name}: ${error.message}`));
  // For an origin that may use a microphone.
  await page.goto(origin);
  tell({ name: peer.name, offer: await page.evaluate(offer, peer) });
  return page;
}

const peers = JSON.parse(process.argv[3]);
await withBrowsers(BOUND_MS, async (tools) => {
  const pages = new Map();
  const origin = settings.pageUrl === "none" ? await emptyPage() : settings.pageUrl;
  for (const peer of peers) pages.set(peer.name, await start(peer, origin, tools));
  const input = readline.createInterface({ input: process.stdin });
  let open = true;
  input.on("close", () => { open = false; });
  input.on("line", async (line) => {
    const { name, answer, restart: wanted } = JSON.parse(line);
    if (wanted) {
      tell({ name, offer: await pages.get(name).evaluate(restart) });
      return;
    }
    await pages.get(name).evaluate(
      (sdp) => window.connection.setRemoteDescription({ type: "answer", sdp }),
      answer,
    );
  });
  while (open) {
    for (const [name, page] of pages) tell({ name, statistics: await page.evaluate(statistics) });
    await pause(TELL_MS);
  }
});
