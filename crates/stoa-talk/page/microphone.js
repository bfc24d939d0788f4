// Getting the microphone, and saying in plain words why that did not work.

/** Why there is no microphone: a title, a sentence and what to do. */
export class MicrophoneProblem extends Error {
  constructor(kind, title, text, steps) {
    super(title);
    Object.assign(this, { kind, title, text, steps });
  }
}

/**
 * Asks for the microphone. With `processing` false the sound is left as it is, which only tests want:
 * echo cancellation and noise suppression take pure tones for noise.
 */
export async function openMicrophone({ processing }) {
  if (!navigator.mediaDevices?.getUserMedia) throw insecure();
  const audio = {
    echoCancellation: processing,
    noiseSuppression: processing,
    autoGainControl: processing,
    channelCount: 1,
  };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio, video: false });
  } catch (error) {
    throw explained(error);
  }
}

function insecure() {
  return new MicrophoneProblem(
    "insecure",
    "This page cannot use a microphone",
    "Browsers give the microphone only to pages that come over a secure connection.",
    ["Open this page with https://, or on the computer that serves it with http://localhost."],
  );
}

function explained(error) {
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new MicrophoneProblem(
        "refused",
        "The microphone is blocked",
        "You, your browser or your system did not let this page use the microphone.",
        [
          "Click the icon beside the address and allow the microphone for this page.",
          "If it is allowed there, look into your system's privacy settings for this browser.",
          "Then try again.",
        ],
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return new MicrophoneProblem(
        "missing",
        "There is no microphone",
        "Your browser did not find a microphone to use.",
        ["Plug one in or switch it on, and choose it in your system's sound settings.", "Then try again."],
      );
    case "NotReadableError":
    case "AbortError":
      return new MicrophoneProblem(
        "busy",
        "The microphone does not answer",
        "It is there, but it could not be started. Often another program holds it.",
        ["Close other calls and recorders, or plug the microphone out and in.", "Then try again."],
      );
    default:
      return new MicrophoneProblem(
        "unknown",
        "The microphone could not be started",
        `The browser said: ${error.name}.`,
        ["Try again, or try another browser."],
      );
  }
}

/** Lets the microphone go: the browser's sign for it goes out. */
export function closeMicrophone(stream) {
  for (const track of stream?.getTracks() ?? []) {
    track.onended = null;
    track.stop();
  }
}
