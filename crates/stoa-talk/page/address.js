// The page's address: `/?room=NAME#TOKEN`, or `/?invitation#CODE`. The token is a link's secret, the
// code an invitation's; browsers do not send what stands after the `#` to anybody, so that no log has
// it.

const parameters = new URLSearchParams(location.search);
const NAME_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const RANDOM_LETTERS = 12;
const SLUG_LETTERS = 40;

/** The room of the address, or null. */
export const room = parameters.get("room");

const secret = location.hash.length > 1 ? location.hash.slice(1) : null;

/** The code of the invitation to the service that was followed, or null. */
export const invitation = parameters.has("invitation") ? secret : null;

/** The secret of the link to a room that was followed, or null. */
export const token = invitation === null ? secret : null;

/** `?ec=0` leaves the microphone's sound as it is: tests send pure tones. */
export const processing = parameters.get("ec") !== "0";

/** The address that others are given. */
export function link(name, roomToken = null) {
  const url = new URL("/", location.href);
  url.searchParams.set("room", name);
  if (roomToken) url.hash = roomToken;
  return url.href;
}

/** The address that somebody is given who is invited to the service. */
export function invitationLink(code) {
  const url = new URL("/?invitation", location.href);
  url.hash = code;
  return url.href;
}

/** Takes a used invitation out of the address bar. */
export function forgetInvitation() {
  if (invitation === null) return;
  parameters.delete("invitation");
  history.replaceState(null, "", parameters.size > 0 ? `?${parameters}` : location.pathname);
}

/** Shows the room in the address bar. The token goes, so that nobody passes it on by mistake. */
export function show(name, { keepToken }) {
  parameters.set("room", name);
  const hash = keepToken && token ? `#${token}` : "";
  history.replaceState(null, "", `?${parameters}${hash}`);
}

/** A name that nobody guesses, beginning like the title where that has plain letters. */
export function newRoomName(title) {
  const plain = title.normalize("NFKD").toLowerCase().replaceAll(/[^a-z0-9]+/gu, "-");
  const slug = plain.replace(/^-+/u, "").slice(0, SLUG_LETTERS).replace(/-+$/u, "");
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_LETTERS));
  const chosen = [...random].map((byte) => NAME_LETTERS[byte % NAME_LETTERS.length]).join("");
  const tail = chosen.replace(/(....)(?=.)/gu, "$1-");
  return slug === "" ? tail : `${slug}-${tail}`;
}
