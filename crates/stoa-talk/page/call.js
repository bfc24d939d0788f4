// One stay in one room: the media connection, the signalling beside it, and who is here.
//
// The offer has one line that sends and receives and two more that only receive, which is one for
// each voice that Stoa lets through at a time. Stoa's answer is final: whoever comes, goes, speaks
// or gets another role later, nothing is negotiated again. A microphone that comes later goes into
// the line that was there from the start.

import { Ears } from "./audio.js";
import { People } from "./people.js";
import { Signalling } from "./signalling.js";
import { ending, refusedJoin } from "./texts.js";

const EXTRA_LINES = 2;
const JOIN_TIMEOUT_MS = 20_000;
const TICK_MS = 100;

/**
 * `on.change()` is called when people or the connection change, `on.levels()` ten times a second,
 * `on.news(kind, person)` when something happens that people want to know, `on.answer(message)` for
 * what the service sends on request, `on.restart({ expected, at })` when the media server is about to
 * restart, or is not any more, `on.refused(problem)` when it does not do what it was asked,
 * `on.blocked()` when the browser refuses to play, `on.ended(ending)` once, when the call ends by
 * itself.
 */
export class Call {
  /** "connecting", "connected", "reconnecting", "failed" or "closed". */
  connection = "connecting";
  /** The page's own `{ id, csrc }` once it is in. */
  you = null;
  /** What the service says of the room: `{ title, open }`. */
  room = { title: "", open: false };
  people = new People();
  /** The ids of those whom this person does not want to hear. */
  silenced = new Set();
  muted;

  #request;
  #microphone;
  #on;
  #ears;
  #peer;
  #sender = null;
  #signalling = null;
  #candidates = []; // found before we were in
  #joinTimer;
  #tickTimer;

  /** `request` is what the join message says; without a microphone one listens. */
  constructor({ request, microphone, muted, on }) {
    this.#request = request;
    this.#microphone = microphone;
    this.muted = muted || microphone === null;
    this.#on = on;
    this.#ears = new Ears({ onBlocked: () => on.blocked() });
    this.#ears.setOwn(microphone);
    this.#peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  }

  get tracks() {
    return this.#ears.tracks;
  }

  /** The page's own person, or null. */
  get own() {
    return (this.you && this.people.get(this.you.id)) ?? null;
  }

  get isOver() {
    return this.connection === "failed" || this.connection === "closed";
  }

  get hasMicrophone() {
    return this.#microphone !== null;
  }

  /** Starts; what comes of it is told to `on`. */
  async start() {
    this.#joinTimer = setTimeout(() => this.#fail("join_timeout"), JOIN_TIMEOUT_MS);
    const peer = this.#peer;
    peer.onicecandidate = ({ candidate }) => this.#found(candidate);
    peer.onconnectionstatechange = () => this.#connectionChanged();
    const track = this.#microphone?.getAudioTracks()[0] ?? "audio";
    const streams = this.#microphone ? [this.#microphone] : [];
    this.#sender = peer.addTransceiver(track, { direction: "sendrecv", streams }).sender;
    for (let i = 0; i < EXTRA_LINES; i += 1) peer.addTransceiver("audio", { direction: "recvonly" });
    this.#applyMicrophone();
    try {
      const offer = await peer.createOffer();
      await peer.setLocalDescription(offer);
      const signalling = await Signalling.open({
        onMessage: (message) => this.#heard(message),
        onLost: () => this.#fail("connection_lost"),
      });
      if (this.isOver) return signalling.leave();
      this.#signalling = signalling;
      signalling.send({ type: "join", ...this.#request, sdp: offer.sdp });
    } catch (error) {
      console.warn("the call could not be started:", error);
      this.#fail("unreachable");
    }
  }

  /** Asks the service for something. */
  ask(message) {
    this.#signalling?.send(message);
  }

  /** Switches the own microphone off or on, and tells the others. */
  setMuted(muted) {
    this.muted = muted;
    this.#applyMicrophone();
    if (this.own) {
      this.own.muted = muted;
      this.ask({ type: "mute", muted });
    }
    this.#on.change();
  }

  /** Speaks with this microphone from now on; null takes it away. */
  async useMicrophone(stream) {
    this.#microphone = stream;
    this.#ears.setOwn(stream);
    this.#applyMicrophone();
    await this.#sender?.replaceTrack(stream?.getAudioTracks()[0] ?? null);
  }

  /** Tries again to play, after the browser refused. */
  enableSound() {
    return this.#ears.enable();
  }

  /** Leaves the room. `on.ended` is not called. */
  leave() {
    if (this.isOver) this.connection = "closed";
    else this.#end("closed");
  }

  #heard(message) {
    switch (message.type) {
      case "joined":
        this.#joined(message);
        break;
      case "participant_joined":
      case "participant_updated":
      case "participant_left":
        for (const [kind, person] of this.people.take(message)) this.#on.news(kind, person);
        this.#ownMayHaveChanged();
        break;
      case "speaking":
        this.people.speak(message);
        return;
      case "silenced":
        this.silenced = new Set(message.ids);
        break;
      case "restart":
        this.#on.restart(message);
        return;
      case "links":
      case "removed_people":
        this.#on.answer(message);
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

  async #joined({ answer, you, title, open, silenced, participants }) {
    this.you = you;
    this.room = { title, open };
    this.silenced = new Set(silenced);
    clearTimeout(this.#joinTimer);
    for (const participant of participants) this.people.take({ type: "participant_joined", participant });
    try {
      await this.#peer.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (error) {
      console.warn("the answer could not be used:", error);
      this.#fail("media_error");
      return;
    }
    if (this.isOver) return;
    for (const transceiver of this.#peer.getTransceivers()) {
      if (/recv/.test(transceiver.currentDirection)) this.#ears.add(transceiver);
    }
    for (const candidate of this.#candidates.splice(0)) this.#send(candidate);
    if (this.muted) this.setMuted(true);
    this.#ownMayHaveChanged();
    this.#tickTimer = setInterval(() => this.#tick(), TICK_MS);
    this.#on.news("entered", this.own);
    this.#on.change();
  }

  #refused(problem) {
    console.warn(`the service refused: ${problem.reason}: ${problem.message}`);
    if (this.you) this.#on.refused(problem);
    else this.#failWith(refusedJoin(problem));
  }

  /** Nobody speaks into a room that has taken the right away; getting it back is no order to speak. */
  #ownMayHaveChanged() {
    if (this.own?.muted_by_moderator && !this.muted) this.setMuted(true);
    this.#applyMicrophone();
  }

  #applyMicrophone() {
    const { own } = this;
    const may = own === null || (own.role !== "listener" && !own.muted_by_moderator);
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = may && !this.muted;
  }

  #found(candidate) {
    // The empty line that some browsers give before the null says the same.
    if (candidate?.candidate === "") return;
    const line = candidate?.candidate ?? "";
    if (this.you) this.#send(line);
    else this.#candidates.push(line);
  }

  #send(candidate) {
    this.ask({ type: "candidate", candidate });
  }

  #connectionChanged() {
    switch (this.#peer.connectionState) {
      case "connected":
        this.connection = "connected";
        if (this.own) this.own.connected = true;
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

  #tick() {
    this.people.hear(this.#ears.levels(), { ownId: this.you.id, ownLevel: this.#ears.ownLevel });
    this.#on.levels();
  }

  #fail(reason) {
    this.#failWith(ending(reason));
  }

  #failWith(outcome) {
    if (this.isOver) return;
    this.#end("failed");
    this.#on.ended(outcome);
  }

  #end(connection) {
    this.connection = connection;
    clearTimeout(this.#joinTimer);
    clearInterval(this.#tickTimer);
    this.#signalling?.leave();
    this.#peer.onconnectionstatechange = null;
    this.#peer.close();
    this.#ears.close();
  }
}
