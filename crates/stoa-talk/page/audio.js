// Hearing the room: each received track is played, measured, and matched with those who speak on it.

const LEVEL_SAMPLES = 2048; // about 43 ms at 48 kHz
const SPECTRUM_SAMPLES = 8192; // bins of 5.9 Hz at 48 kHz
const SILENCE_DB = -100;
const CSRC_FRESH_MS = 300;

/** Measures a stream without playing it. */
class Meter {
  #source;
  #level;
  #spectrum;
  #samples = new Float32Array(LEVEL_SAMPLES);
  #bins = new Float32Array(SPECTRUM_SAMPLES / 2);

  /** A meter, or null where the browser cannot measure this stream: it is still played. */
  static of(context, stream) {
    try {
      return new Meter(context, stream);
    } catch (error) {
      console.warn("a stream cannot be measured:", error);
      return null;
    }
  }

  constructor(context, stream) {
    this.#source = context.createMediaStreamSource(stream);
    this.#level = new AnalyserNode(context, { fftSize: LEVEL_SAMPLES });
    this.#spectrum = new AnalyserNode(context, { fftSize: SPECTRUM_SAMPLES, smoothingTimeConstant: 0 });
    this.#source.connect(this.#level);
    this.#source.connect(this.#spectrum);
  }

  /** The level now, in dB below full scale: 0 is the loudest, -100 is silence. */
  get level() {
    this.#level.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const db = 10 * Math.log10(sum / LEVEL_SAMPLES);
    return Math.max(SILENCE_DB, db);
  }

  /** The strongest frequency in Hz, or null in silence. */
  get dominantFrequencyHz() {
    const bins = this.#bins;
    this.#spectrum.getFloatFrequencyData(bins);
    let peak = 1;
    for (let i = 2; i < bins.length - 1; i += 1) if (bins[i] > bins[peak]) peak = i;
    const [before, top, after] = [bins[peak - 1], bins[peak], bins[peak + 1]];
    if (!(top > SILENCE_DB)) return null;
    // The top of the parabola through the three highest points lies between two bins.
    const bend = before - 2 * top + after;
    const offset = Number.isFinite(bend) && bend !== 0 ? (before - after) / (2 * bend) : 0;
    return ((peak + offset) * this.#spectrum.context.sampleRate) / SPECTRUM_SAMPLES;
  }

  close() {
    this.#source.disconnect();
  }
}

/** One received track. */
class HeardTrack {
  #receiver;
  #element;
  #meter;
  #seen = new Map(); // CSRC -> { timestamp, at }
  #lookedAt = 0;

  constructor(context, transceiver, onBlocked) {
    this.mid = transceiver.mid;
    this.#receiver = transceiver.receiver;
    const stream = new MediaStream([transceiver.receiver.track]);
    this.#element = document.createElement("audio");
    this.#element.autoplay = true;
    this.#element.srcObject = stream;
    document.body.append(this.#element);
    this.play().catch(onBlocked);
    this.#meter = Meter.of(context, stream);
  }

  play() {
    return this.#element.play();
  }

  /** Looks which contributing sources have sent something since the last look. */
  look(now) {
    // Browsers list a source for ten seconds after its last packet; only a timestamp that moves
    // says that it is still sending.
    const listed = this.#receiver.getContributingSources().map(({ source, timestamp }) => {
      const before = this.#seen.get(source);
      return [source, before?.timestamp === timestamp ? before : { timestamp, at: now }];
    });
    this.#seen = new Map(listed);
    this.#lookedAt = now;
  }

  /** The CSRCs heard within the last moments, the latest first. */
  get csrcs() {
    const fresh = [...this.#seen].filter(([, { at }]) => this.#lookedAt - at <= CSRC_FRESH_MS);
    return fresh.sort(([, a], [, b]) => b.timestamp - a.timestamp).map(([source]) => source);
  }

  get measured() {
    return this.#meter !== null;
  }

  get level() {
    return this.#meter?.level ?? SILENCE_DB;
  }

  get dominantFrequencyHz() {
    return this.#meter?.dominantFrequencyHz ?? null;
  }

  close() {
    this.#meter?.close();
    this.#element.pause();
    this.#element.srcObject = null;
    this.#element.remove();
  }
}

/** All that one page hears, and its own microphone's level. */
export class Ears {
  #context = new AudioContext();
  #own = null;
  #tracks = [];
  #onBlocked;

  constructor({ onBlocked }) {
    this.#onBlocked = onBlocked;
    this.#context.resume().catch(onBlocked);
  }

  /** Measures the page's own microphone, or none. */
  setOwn(stream) {
    this.#own?.close();
    this.#own = stream ? Meter.of(this.#context, stream) : null;
  }

  /** Plays and measures what comes in on this transceiver. */
  add(transceiver) {
    this.#tracks.push(new HeardTrack(this.#context, transceiver, this.#onBlocked));
  }

  /** Tries again after the browser refused to play; to be called while a click is handled. */
  async enable() {
    await Promise.all([this.#context.resume(), ...this.#tracks.map((track) => track.play())]);
  }

  /** The own microphone's level in dB below full scale. */
  get ownLevel() {
    return this.#own?.level ?? SILENCE_DB;
  }

  get tracks() {
    return this.#tracks;
  }

  /**
   * The levels now, in dB below full scale, by the CSRC that each track carries. Empty while nothing
   * can be measured, as in a Firefox without an audio output.
   */
  levels() {
    const now = performance.now();
    const levels = new Map();
    for (const track of this.#tracks) {
      track.look(now);
      if (this.#context.state !== "running" || !track.measured) continue;
      const [csrc] = track.csrcs;
      if (csrc !== undefined) levels.set(csrc, Math.max(levels.get(csrc) ?? SILENCE_DB, track.level));
    }
    return levels;
  }

  close() {
    this.#own?.close();
    for (const track of this.#tracks.splice(0)) track.close();
    this.#context.close();
  }
}
