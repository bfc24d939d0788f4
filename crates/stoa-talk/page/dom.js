// Small things about elements.

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export const $ = (id) => document.getElementById(id);

/** A copy of what is in the template of this id. */
export function fromTemplate(id) {
  return $(id).content.firstElementChild.cloneNode(true);
}

/** Sets a data attribute where it is another one. */
export function setData(element, name, value) {
  const text = String(value);
  if (element.dataset[name] !== text) element.dataset[name] = text;
}

/** Sets the text where it is another one: assistive technology is told of no change that is none. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** An avatar: initials on a colour that the same name has on every page. */
export function paintAvatar(element, name) {
  setText(element, initials(name));
  element.style.setProperty("--hue", hue(name));
}

const QUALITIES = { good: "good connection", fair: "fair connection", poor: "poor connection" };

/** How a person's connection is, in words; empty while it is not known. */
export function qualityText({ quality }) {
  return QUALITIES[quality] ?? "";
}

/** The mark of how somebody's connection is. */
export function showQuality(mark, person) {
  const text = qualityText(person);
  if (mark.hidden !== (text === "")) mark.hidden = text === "";
  setData(mark, "quality", person.quality ?? "");
  setText(mark.querySelector(".quality-text"), text);
}

/** The first letters of the first and the last word, whatever the script. */
function initials(name) {
  const words = name.trim().split(/\s+/u);
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words;
  const first = (word) => graphemes.segment(word)[Symbol.iterator]().next().value?.segment ?? "";
  return chosen.map(first).join("").toLocaleUpperCase();
}

/** A hue in degrees. */
function hue(name) {
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0), 16777619);
  // Neighbouring hashes fall far apart on the wheel.
  return Math.round(((hash >>> 0) * 137.508) % 360);
}

/**
 * Makes the list's items those of `people`, in their order. An item that stays is the same element, so
 * that focus and screen reader stay where they are.
 */
export function fillList(list, items, people, make, show) {
  const present = new Set(people.map(({ id }) => id));
  for (const [id, item] of items) {
    if (present.has(id)) continue;
    item.element.remove();
    items.delete(id);
  }
  let place = list.firstElementChild;
  for (const person of people) {
    if (!items.has(person.id)) items.set(person.id, make(person));
    const item = items.get(person.id);
    show(item, person);
    if (item.element === place) place = place.nextElementSibling;
    else list.insertBefore(item.element, place);
  }
}
