// One stay in one room: the media connection, the signalling beside it, and who is here.
//
// The offer has one line that sends and receives and two more that only receive, which is one for
// each voice that Stoa lets through at a time. Stoa's answer is final: whoever comes, goes or speaks
// later, nothing is negotiated again.

import { Ears } from "./audio.js";
import { Signalling } from "./signalling.js";

const EXTRA_LINES = 2;
const JOIN_TIMEOUT_MS = 20_000;
const TICK_MS = 100;
const SPEAKING_DB = -50;
const SPOKEN_OF_MS = 1500; // Stoa says twice a second who is heard

/** Why a call ended or could not begin, for people. */
const ENDINGS = {
  removed: "You were removed from the room.",
  room_closed: "The room was closed.",
  ice_timeout: "Your connection was silent for too long.",
  connect_timeout: "The audio connection could not be made. A firewall may block UDP.",
  client_closed: "The audio connection was closed.",
  media_error: "The audio connection met a fault.",
  node_shutdown: "The media server is shutting down.",
  shutting_down: "The service is shutting down.",
  too_slow: "Your connection could not keep up.",
  idle: "Your connection was silent for too long.",
  connection_lost: "The connection to the service was lost.",
  media_failed: "The audio connection was lost.",
  microphone_ended: "Your microphone has stopped.",
  unreachable: "The service cannot be reached.",
  join_timeout: "The service did not answer in time.",
};
const REFUSALS = {
  STOA_UNREACHABLE: "The media server cannot be reached at the moment.",
  NODE_DRAINING: "The media server is about to restart. Try again in a minute.",
  NODE_OVERLOADED: "The media server is overloaded. Try again in a moment.",
  ROOM_LIMIT_REACHED: "There are as many rooms as the media server can hold.",
  PARTICIPANT_LIMIT_REACHED: "The room is full.",
};

/**
 * `on.change()` is called when people or the connection change, `on.levels()` ten times a second,
 * `on.news(kind, person)` when somebody joins or leaves, `on.blocked()` when the browser refuses to
 * play, `on.ended(text)` once, when the call ends by itself.
 */
export class Call {
  /** "connecting", "connected", "reconnecting", "failed" or "closed". */
  connection = "connecting";
  /** The page's own `{ id, csrc }` once it is in. */
  you = null;
  /** Everybody in the room by id, in the order in which they came. */
  participants = new Map();
  muted = false;

  #room;
  #name;
  #microphone;
  #on;
  #ears;
  #peer;
  #signalling = null;
  #candidates = []; // found before we were in
  #joinTimer;
  #tickTimer;

  constructor({ room, name, microphone, on }) {
    this.#room = room;
    this.#name = name;
    this.#microphone = microphone;
    this.#on = on;
    this.#ears = new Ears({ onBlocked: () => on.blocked() });
    this.#ears.addOwn(microphone);
    this.#peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  }

  get room() {
    return this.#room;
  }

  get tracks() {
    return this.#ears.tracks;
  }

  /** Starts; what comes of it is told to `on`. */
  async start() {
    this.#joinTimer = setTimeout(() => this.#fail("join_timeout"), JOIN_TIMEOUT_MS);
    const peer = this.#peer;
    const [track] = this.#microphone.getAudioTracks();
    track.onended = () => this.#fail("microphone_ended");
    peer.onicecandidate = ({ candidate }) => this.#found(candidate);
    peer.onconnectionstatechange = () => this.#connectionChanged();
    peer.addTransceiver(track, { direction: "sendrecv", streams: [this.#microphone] });
    for (let i = 0; i < EXTRA_LINES; i += 1) peer.addTransceiver("audio", { direction: "recvonly" });

    try {
      const offer = await peer.createOffer();
      await peer.setLocalDescription(offer);
      const signalling = await Signalling.open({
        onMessage: (message) => this.#heard(message),
        onLost: () => this.#fail("connection_lost"),
      });
      if (this.connection === "closed" || this.connection === "failed") return signalling.leave();
      this.#signalling = signalling;
      signalling.send({ type: "join", room: this.#room, name: this.#name, sdp: offer.sdp });
    } catch (error) {
      console.warn("the call could not be started:", error);
      this.#fail("unreachable");
    }
  }

  /** Switches the own microphone off or on, and tells the others. */
  setMuted(muted) {
    this.muted = muted;
    for (const track of this.#microphone.getAudioTracks()) track.enabled = !muted;
    const own = this.you && this.participants.get(this.you.id);
    if (own) own.muted = muted;
    if (this.you) this.#signalling?.send({ type: "mute", muted });
    this.#on.change();
  }

  /** Tries again to play, after the browser refused. */
  enableSound() {
    return this.#ears.enable();
  }

  /** Leaves the room. `on.ended` is not called. */
  leave() {
    this.#end("closed");
  }

  #heard(message) {
    switch (message.type) {
      case "joined":
        this.#joined(message);
        break;
      case "participant_joined":
        this.#add(message.participant);
        this.#on.news("joined", message.participant);
        break;
      case "participant_connected":
        this.#update(message.id, { connected: true });
        break;
      case "participant_left": {
        const person = this.participants.get(message.id);
        if (person && this.participants.delete(message.id)) this.#on.news("left", person);
        break;
      }
      case "muted":
        this.#update(message.id, { muted: message.muted });
        break;
      case "speaking":
        this.#spokenOf(message.speakers);
        return;
      case "error":
        this.#refused(message);
        return;
      case "closed":
        this.#fail(message.reason);
        return;
      default: // a later version's message
        return;
    }
    this.#on.change();
  }

  async #joined({ answer, you, participants }) {
    this.you = you;
    clearTimeout(this.#joinTimer);
    for (const person of participants) this.#add(person);
    try {
      await this.#peer.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (error) {
      console.warn("the answer could not be used:", error);
      this.#fail("media_error");
      return;
    }
    if (this.connection === "closed" || this.connection === "failed") return;
    for (const transceiver of this.#peer.getTransceivers()) {
      if (/recv/.test(transceiver.currentDirection)) this.#ears.add(transceiver);
    }
    for (const candidate of this.#candidates.splice(0)) this.#send(candidate);
    if (this.muted) this.setMuted(true);
    this.#tickTimer = setInterval(() => this.#tick(), TICK_MS);
    this.#on.change();
  }

  #refused({ reason, message }) {
    console.warn(`the service refused: ${reason}: ${message}`);
    // Once in, a refusal concerns one candidate or the like, and the call goes on without it.
    if (!this.you) this.#failWith(REFUSALS[reason] ?? `The service refused: ${message}.`);
  }

  #add(person) {
    const before = this.participants.get(person.id);
    const unheard = { level: 0, speaking: false, spokenOf: null };
    this.participants.set(person.id, { ...unheard, ...before, ...person });
  }

  #update(id, change) {
    const person = this.participants.get(id);
    if (person) Object.assign(person, change);
  }

  #found(candidate) {
    // The empty line that some browsers give before the null says the same.
    if (candidate?.candidate === "") return;
    const line = candidate?.candidate ?? "";
    if (this.you) this.#send(line);
    else this.#candidates.push(line);
  }

  #send(candidate) {
    this.#signalling?.send({ type: "candidate", candidate });
  }

  #connectionChanged() {
    switch (this.#peer.connectionState) {
      case "connected":
        this.connection = "connected";
        if (this.you) this.#update(this.you.id, { connected: true });
        break;
      case "disconnected":
        this.connection = "reconnecting";
        break;
      case "failed":
        this.#fail("media_failed");
        return;
      default:
        return;
    }
    this.#on.change();
  }

  #spokenOf(speakers) {
    const until = performance.now() + SPOKEN_OF_MS;
    for (const person of this.participants.values()) person.spokenOf = null;
    for (const { id, level_dbov: level } of speakers) this.#update(id, { spokenOf: { db: -level, until } });
  }

  /** Who is heard comes from the packets themselves; what Stoa says fills in for the others. */
  #tick() {
    const heard = this.#ears.levels();
    const now = performance.now();
    for (const person of this.participants.values()) {
      const own = person.id === this.you.id;
      let db = own ? this.#ears.ownLevel : heard.get(person.csrc);
      if (db === undefined && person.spokenOf && person.spokenOf.until > now) db = person.spokenOf.db;
      person.speaking = !person.muted && db !== undefined && db > SPEAKING_DB;
      person.level = person.speaking ? Math.min(1, (db - SPEAKING_DB) / -SPEAKING_DB) : 0;
    }
    this.#on.levels();
  }

  #fail(reason) {
    this.#failWith(ENDINGS[reason] ?? "The call has ended.");
  }

  #failWith(text) {
    if (this.connection === "closed" || this.connection === "failed") return;
    this.#end("failed");
    this.#on.ended(text);
  }

  #end(connection) {
    this.connection = connection;
    clearTimeout(this.#joinTimer);
    clearInterval(this.#tickTimer);
    this.#signalling?.leave();
    this.#peer.close();
    for (const track of this.#microphone.getTracks()) {
      track.onended = null;
      track.stop();
    }
    this.#ears.close();
  }
}
