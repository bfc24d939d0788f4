// Who this browser is: two random secrets that stay in it. The service keeps only their hashes.

const SECRET_BYTES = 32;

function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What `key` holds in this storage, made where it is missing; null where nothing can be kept. */
function kept(storage, key) {
  try {
    const held = storage().getItem(key);
    if (held) return held;
    const made = fresh();
    storage().setItem(key, made);
    return made;
  } catch {
    return null; // storage is switched off
  }
}

const browser = kept(() => localStorage, "stoa-talk-browser");
const tab = kept(() => sessionStorage, "stoa-talk-window");

/** Whether this browser will be known again after a reload. */
export const isKept = browser !== null;

/** `secret` names the browser, `window` one of its windows; both are sent to the service only. */
export const identity = Object.freeze({ secret: browser ?? fresh(), window: tab ?? fresh() });

/** Keeps a word for the next visit, where the browser lets us. */
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage it is typed again next time.
  }
}

/** The word kept last time, or nothing. */
export function recall(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}
