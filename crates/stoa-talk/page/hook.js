// What browser tests read. Every value is a copy; nothing can be set.

/** Puts `stoaTalk` on the window; `call()` gives the present call or null. */
export function showTo(window, call) {
  Object.defineProperty(window, "stoaTalk", { value: Object.freeze(hook(call)) });
}

function hook(call) {
  return {
    /** The page's own person, as in `participants`, or null; `muted` is what the page wants. */
    get you() {
      const own = call()?.own;
      return own ? { ...shown(own), muted: call().muted } : null;
    },
    /** Everybody, the page itself included. */
    get participants() {
      return [...(call()?.people ?? [])].map(shown);
    },
    /** [{ mid, csrcs, dominantFrequencyHz, level }]: what each track carries now. The level is in dB
     *  below full scale, the frequency null in silence, the CSRC heard last comes first. */
    get tracks() {
      return (call()?.tracks ?? []).map(({ mid, csrcs, dominantFrequencyHz, level }) => (
        { mid, csrcs, dominantFrequencyHz, level }));
    },
    /** "idle", "connecting", "connected", "reconnecting", "failed" or "closed". */
    get connection() {
      return call()?.connection ?? "idle";
    },
    /** The id of who leads the conversation, or null. */
    get dominant() {
      return call()?.people.dominant ?? null;
    },
    /** The ids of those whom this person does not want to hear. */
    get silenced() {
      return [...(call()?.silenced ?? [])];
    },
  };
}

function shown(person) {
  const { id, name, csrc, connected, muted, speaking, role, invited } = person;
  const { muted_by_moderator: mutedByModerator, hand_raised_at: handRaisedAt } = person;
  return { id, name, csrc, connected, muted, speaking, role, invited, mutedByModerator, handRaisedAt };
}
