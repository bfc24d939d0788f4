// Who is in the room, and who is heard.

const SPEAKING_DB = -50;
const SPOKEN_OF_MS = 1500; // Stoa says twice a second who is heard

export class People {
  /** Everybody by id, in the order in which they came. */
  #all = new Map();
  /** The id of who leads the conversation, or null. */
  dominant = null;

  get(id) {
    return this.#all.get(id);
  }

  [Symbol.iterator]() {
    return this.#all.values();
  }

  get size() {
    return this.#all.size;
  }

  /** Takes in what the service says about somebody. Returns what is news, as [kind, person]. */
  take({ type, participant, id }) {
    if (type === "participant_left") {
      const gone = this.#all.get(id);
      return gone && this.#all.delete(id) ? [["left", gone]] : [];
    }
    const before = this.#all.get(participant.id);
    const unheard = { level: 0, speaking: false, spokenOf: null };
    const person = { ...unheard, ...before, ...participant };
    this.#all.set(person.id, person);
    if (!before) return [["joined", person]];
    return changes(before, person).map((kind) => [kind, person]);
  }

  /** Takes in who Stoa says is heard. */
  speak({ speakers, dominant = null }) {
    const until = performance.now() + SPOKEN_OF_MS;
    this.dominant = dominant;
    for (const person of this.#all.values()) person.spokenOf = null;
    for (const { id, level_dbov: level } of speakers) {
      const person = this.#all.get(id);
      if (person) person.spokenOf = { db: -level, until };
    }
  }

  /** Who is heard comes from the packets themselves; what Stoa says fills in for the others. */
  hear(levels, { ownId, ownLevel }) {
    const now = performance.now();
    for (const person of this.#all.values()) {
      if (person.role === "listener") {
        person.speaking = false;
        person.level = 0;
        continue;
      }
      let db = person.id === ownId ? ownLevel : levels.get(person.csrc);
      if (db === undefined && person.spokenOf && person.spokenOf.until > now) db = person.spokenOf.db;
      const silent = person.muted || person.muted_by_moderator;
      person.speaking = !silent && db !== undefined && db > SPEAKING_DB;
      person.level = person.speaking ? Math.min(1, (db - SPEAKING_DB) / -SPEAKING_DB) : 0;
    }
  }
}

function changes(before, now) {
  const kinds = [];
  const onStage = (person) => person.role !== "listener";
  if (onStage(before) !== onStage(now)) kinds.push(onStage(now) ? "promoted" : "demoted");
  else if (before.role !== now.role) kinds.push(now.role === "moderator" ? "moderating" : "not_moderating");
  if (before.muted_by_moderator !== now.muted_by_moderator) {
    kinds.push(now.muted_by_moderator ? "muted_by_moderator" : "unmuted_by_moderator");
  }
  if (!before.hand_raised_at && now.hand_raised_at) kinds.push("hand_raised");
  if (before.hand_raised_at && !now.hand_raised_at && !onStage(now)) kinds.push("hand_lowered");
  if (!before.invited && now.invited) kinds.push("invited");
  if (before.invited && !now.invited && !onStage(now)) kinds.push("not_invited");
  return kinds;
}
