// One person's tile.

const template = document.getElementById("tile-template");
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The tile of one person, to be put into the list by its `element`. */
export class Tile {
  element = template.content.firstElementChild.cloneNode(true);
  #shown = {};

  constructor(person, isYou) {
    const { element } = this;
    element.dataset.participantId = person.id;
    element.querySelector(".name").textContent = person.name;
    element.querySelector(".initials").textContent = initials(person.name);
    element.querySelector(".you").hidden = !isYou;
    element.style.setProperty("--hue", hue(person.name));
  }

  /** Shows how the person stands now. */
  show({ connected, muted, speaking, level }) {
    this.#set("connected", connected);
    this.#set("muted", muted);
    this.#set("speaking", speaking);
    if (this.#shown.level !== level) this.element.style.setProperty("--level", level.toFixed(2));
    this.#shown.level = level;
  }

  #set(name, value) {
    if (this.#shown[name] !== value) this.element.dataset[name] = String(value);
    this.#shown[name] = value;
  }
}

/** The first letters of the first and the last word, whatever the script. */
function initials(name) {
  const words = name.trim().split(/\s+/u);
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words;
  const first = (word) => graphemes.segment(word)[Symbol.iterator]().next().value?.segment ?? "";
  return chosen.map(first).join("").toLocaleUpperCase();
}

/** A hue in degrees: the same name has the same colour on every page. */
function hue(name) {
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0), 16777619);
  // Neighbouring hashes fall far apart on the wheel.
  return Math.round(((hash >>> 0) * 137.508) % 360);
}
