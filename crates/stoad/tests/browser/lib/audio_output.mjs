// An audio output for Firefox, whose Web Audio stands still on a machine without one: a PulseAudio
// of one's own that throws away what it is given. (Chromium makes do without.)

import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const START_MS = 10_000;
const POLL_MS = 50;

/** Starts it with everything it keeps in `folder`. Resolves to the environment to use it, and `end`. */
export async function startAudioOutput(folder) {
  const home = path.join(folder, "pulse");
  fs.mkdirSync(home, { mode: 0o700 });
  const socket = path.join(home, "native");
  const server = spawn(
    "pulseaudio",
    [
      "-n", // no configuration of the machine's
      "--daemonize=no",
      "--use-pid-file=no",
      "--disable-shm=yes",
      "--exit-idle-time=-1",
      "--log-level=error",
      `--load=module-native-protocol-unix socket=${socket} auth-anonymous=1`,
      "--load=module-null-sink",
    ],
    { stdio: "ignore", env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, XDG_CONFIG_HOME: home } },
  );
  let failure = null;
  server.once("error", ({ message }) => {
    failure = `pulseaudio cannot be started (Debian's package is "pulseaudio"): ${message}`;
  });
  server.once("exit", (code) => {
    failure ??= `pulseaudio ended with ${code}`;
  });
  const end = () => server.kill("SIGKILL");
  const until = Date.now() + START_MS;
  while (!fs.existsSync(socket)) {
    if (Date.now() > until) failure ??= "pulseaudio did not start in time";
    if (failure) {
      end();
      throw new Error(failure);
    }
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
  }
  return { environment: { PULSE_SERVER: `unix:${socket}` }, end };
}
