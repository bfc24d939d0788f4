// Tones to speak with: a WAV file of a pure sine, 48 kHz, mono, 16 bits.

import fs from "node:fs";

const RATE = 48_000;
const SECONDS = 10;
const AMPLITUDE = 0.3; // 13 dB below full scale

/** Writes the file. A whole number of hertz makes a whole number of waves, so it loops without a click. */
export function writeTone(file, hertz) {
  const samples = RATE * SECONDS;
  const bytes = Buffer.alloc(44 + samples * 2);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + samples * 2, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16); // size of what follows
  bytes.writeUInt16LE(1, 20); // PCM
  bytes.writeUInt16LE(1, 22); // channels
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(RATE * 2, 28); // bytes a second
  bytes.writeUInt16LE(2, 32); // bytes for each sample of all channels
  bytes.writeUInt16LE(16, 34); // bits a sample
  bytes.write("data", 36);
  bytes.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i += 1) {
    const sample = AMPLITUDE * Math.sin((2 * Math.PI * hertz * i) / RATE);
    bytes.writeInt16LE(Math.round(sample * 32_767), 44 + i * 2);
  }
  fs.writeFileSync(file, bytes);
}
