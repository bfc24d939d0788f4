// The WebSocket to the signalling service. What is said on it: docs/talk-protocol.md.

/** One WebSocket. `onMessage` gets every message, `onLost` hears once that there will be no more. */
export class Signalling {
  #socket;
  #onLost;

  /** Resolves when the socket is open; rejects if it cannot be opened. */
  static open({ onMessage, onLost }) {
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    return new Promise((resolve, reject) => {
      const signalling = new Signalling(socket, onLost);
      socket.onmessage = (event) => onMessage(JSON.parse(event.data));
      socket.onopen = () => {
        socket.onclose = () => signalling.#lost();
        resolve(signalling);
      };
      socket.onclose = () => reject(new Error("the WebSocket could not be opened"));
    });
  }

  constructor(socket, onLost) {
    this.#socket = socket;
    this.#onLost = onLost;
  }

  send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Says goodbye. `onLost` is not called any more. */
  leave() {
    this.#onLost = null;
    this.send({ type: "leave" });
    this.#socket.close(1000);
  }

  #lost() {
    this.#onLost?.();
    this.#onLost = null;
  }
}
