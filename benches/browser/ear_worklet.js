// Runs on the audio thread: which of the given tones are in what is heard, every 5 ms.

const WINDOW_SECONDS = 0.01;
const HOP_SECONDS = 0.005;
/** Weaker than that is not told: full scale is 0. */
const FAINTEST_DB = -85;

class Ear extends AudioWorkletProcessor {
  #samples = new Float32Array(Math.round(sampleRate * WINDOW_SECONDS));
  #hop = Math.round(sampleRate * HOP_SECONDS);
  /** How many samples were heard, and when that is, in samples of the context. */
  #count = 0;
  #coefficients;
  #taper;

  constructor({ processorOptions: { tones } }) {
    super();
    const length = this.#samples.length;
    this.#coefficients = tones.map((hertz) => 2 * Math.cos((2 * Math.PI * hertz) / sampleRate));
    this.#taper = this.#samples.map((_, n) => 1 - Math.cos((2 * Math.PI * (n + 0.5)) / length));
  }

  process([input]) {
    // Lines that carry nothing have no channel; several lines are summed.
    const channel = input[0];
    for (let n = 0; n < 128; n += 1) {
      this.#samples[this.#count % this.#samples.length] = channel?.[n] ?? 0;
      this.#count += 1;
      if (this.#count % this.#hop === 0) this.#tell(currentFrame + n + 1);
    }
    return true;
  }

  #tell(frame) {
    const tones = [];
    this.#coefficients.forEach((coefficient, index) => {
      const decibels = this.#level(coefficient);
      if (decibels > FAINTEST_DB) tones.push([index, Math.round(decibels)]);
    });
    const middle = ((frame - this.#samples.length / 2) / sampleRate) * 1000;
    // The wall clock, since that is what the speakers are timed by.
    this.port.postMessage({ middle, computed: (frame / sampleRate) * 1000, now: Date.now(), tones });
  }

  /** The amplitude of one tone in the window, by Goertzel's algorithm. */
  #level(coefficient) {
    const length = this.#samples.length;
    let [last, before] = [0, 0];
    for (let n = 0; n < length; n += 1) {
      const sample = this.#samples[(this.#count + n) % length] * this.#taper[n];
      [last, before] = [sample + coefficient * last - before, last];
    }
    const power = last * last + before * before - coefficient * last * before;
    return 10 * Math.log10(power * (2 / length) ** 2 + 1e-20);
  }
}

registerProcessor("ear", Ear);
