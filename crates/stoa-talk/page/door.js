// What would come of a join, asked before it: so that nobody gives their microphone to a room that
// they cannot enter, and listeners are not asked for one.

import { identity } from "./identity.js";

/**
 * Resolves to `{ open_rooms, room, problem }`: the room as `{ title, open, new, role }`, or why it
 * would be refused; to null if the service does not answer.
 */
export async function look({ room, token }) {
  const question = { room, ...identity, ...(token ? { token } : {}) };
  try {
    const answer = await fetch("/look", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
    });
    return answer.ok ? await answer.json() : { open_rooms: false, room: null, problem: await answer.json() };
  } catch {
    return null;
  }
}
