// One person's visit of one room, from the join form to leaving, over as many calls as it takes: a
// call that breaks is made again, with the same microphone and the same identity.

import { Call } from "./call.js";
import { look } from "./door.js";
import { identity } from "./identity.js";
import { MicrophoneProblem, closeMicrophone, openMicrophone } from "./microphone.js";

const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000];

/**
 * `on` has all of `Call`'s but `ended`, and: `entering()` when a call begins, `reconnecting(text)`,
 * `ended(ending)` when it has ended for good or nobody has tried again, `microphone(problem)` when
 * there is none.
 */
export class Visit {
  call = null;

  #wanted;
  #processing;
  #on;
  #microphone = null;
  #pauses = 0;
  #timer;
  #over = false;

  /** `wanted` is { room, name, token, create }. */
  constructor(wanted, { processing, on }) {
    this.#wanted = wanted;
    this.#processing = processing;
    this.#on = on;
  }

  /** Gets the microphone, unless one comes to listen, and calls. Resolves to whether it began. */
  async start({ withoutMicrophone = false } = {}) {
    const looked = this.#wanted.create ? null : await look(this.#wanted);
    const listens = looked?.room?.role === "listener";
    if (!listens && !withoutMicrophone && !(await this.#openMicrophone())) return false;
    if (this.#over) return false;
    this.#begin({ muted: false });
    return true;
  }

  /** Calls again, after an end. */
  again() {
    clearTimeout(this.#timer);
    if (!this.#over) this.#begin({ muted: this.call.muted });
  }

  /** Comes to the stage: with the microphone, or not at all. */
  async accept() {
    if (!(await this.#haveMicrophone())) return;
    this.call.setMuted(false);
    this.call.ask({ type: "answer_invitation", accepted: true });
  }

  /** Switches the own microphone off or on; gets one where there is none. */
  async toggleMute() {
    const { call } = this;
    if (!call || call.isOver || call.own?.muted_by_moderator) return;
    if (call.muted && !(await this.#haveMicrophone())) return;
    call.setMuted(!call.muted);
  }

  /** Whoever is in the audience does not hold a microphone. */
  async releaseMicrophone() {
    closeMicrophone(this.#microphone);
    this.#microphone = null;
    await this.call?.useMicrophone(null);
  }

  /** Leaves, for good. */
  leave() {
    this.#over = true;
    clearTimeout(this.#timer);
    this.call?.leave();
    closeMicrophone(this.#microphone);
    this.#microphone = null;
  }

  #begin({ muted }) {
    const { room, name, token, create } = this.#wanted;
    const request = { room, name, ...identity, ...(token ? { token } : {}), ...(create ? { create } : {}) };
    const call = new Call({ request, microphone: this.#microphone, muted, on: this.#listeners(() => this.call === call) });
    this.call = call;
    this.#on.entering();
    call.start();
  }

  /** A former call's last words are not listened to. */
  #listeners(isPresent) {
    const ifPresent = (action) => (...details) => {
      if (isPresent()) action(...details);
    };
    const { change, levels, answer, restart, refused, blocked } = this.#on;
    return {
      change: ifPresent(change),
      levels: ifPresent(levels),
      answer: ifPresent(answer),
      restart: ifPresent(restart),
      refused: ifPresent(refused),
      blocked: ifPresent(blocked),
      news: ifPresent((kind, person) => this.#news(kind, person)),
      ended: ifPresent((ending) => this.#ended(ending)),
    };
  }

  #news(kind, person) {
    const { own } = this.call;
    if (kind === "entered") {
      this.#pauses = 0;
      // The room is there now, and the link has done its work.
      this.#wanted = { ...this.#wanted, create: undefined };
    }
    const isOwn = person.id === own?.id;
    if (isOwn && (kind === "demoted" || (kind === "entered" && own.role === "listener"))) this.releaseMicrophone();
    this.#on.news(kind, person);
  }

  #ended(ending) {
    const pause = PAUSES_MS[this.#pauses];
    if (!ending.again || pause === undefined) {
      if (ending.final) this.leave();
      this.#on.ended(ending);
      return;
    }
    this.#pauses += 1;
    this.#timer = setTimeout(() => this.again(), pause);
    this.#on.reconnecting(ending.text);
  }

  async #haveMicrophone() {
    if (this.#microphone) return true;
    if (!(await this.#openMicrophone())) return false;
    await this.call.useMicrophone(this.#microphone);
    return true;
  }

  async #openMicrophone() {
    try {
      this.#microphone ??= await openMicrophone({ processing: this.#processing });
    } catch (problem) {
      if (!(problem instanceof MicrophoneProblem)) throw problem;
      this.#on.microphone(problem);
      return false;
    }
    this.#microphone.getAudioTracks()[0].onended = () => this.#microphoneEnded();
    return true;
  }

  #microphoneEnded() {
    this.#microphone = null;
    this.call?.setMuted(true);
    this.call?.useMicrophone(null);
    this.#on.microphoneEnded();
  }
}
