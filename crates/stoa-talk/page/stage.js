// The stage: a large tile for everybody who may speak.

import { $, fillList, fromTemplate, paintAvatar, setData, setText, showQuality } from "./dom.js";

/** One person's tile. */
class Tile {
  element = fromTemplate("tile-template");
  #parts;
  #level = -1;

  constructor(person, onOpen) {
    const part = (name) => this.element.querySelector(`.${name}`);
    this.#parts = {
      button: part("tile-button"),
      name: part("name"),
      avatar: part("avatar"),
      you: part("you"),
      role: part("role"),
      quality: part("quality"),
    };
    this.element.dataset.participantId = person.id;
    this.#parts.button.addEventListener("click", () => onOpen(person.id));
  }

  show(person, { isYou, isSilenced, isDominant }) {
    const { name, avatar, you, role, quality } = this.#parts;
    setText(name, person.name);
    paintAvatar(avatar, person.name);
    you.hidden = !isYou;
    role.hidden = person.role !== "moderator";
    showQuality(quality, person);
    setData(this.element, "connected", person.connected);
    setData(this.element, "muted", person.muted || person.muted_by_moderator);
    setData(this.element, "mutedByModerator", person.muted_by_moderator);
    setData(this.element, "silenced", isSilenced);
    setData(this.element, "dominant", isDominant);
    this.showLevel(person);
  }

  showLevel({ speaking, level }) {
    setData(this.element, "speaking", speaking);
    if (this.#level === level) return;
    this.#level = level;
    this.element.style.setProperty("--level", level.toFixed(2));
  }
}

export class Stage {
  #tiles = new Map();
  #onOpen;

  /** `onOpen(id)` is called when somebody's tile is chosen. */
  constructor(onOpen) {
    this.#onOpen = onOpen;
  }

  clear() {
    this.#tiles.clear();
    $("tiles").replaceChildren();
  }

  update(people, { own, silenced, dominant }) {
    const rank = (person) => (person.id === own?.id ? 0 : person.role === "moderator" ? 1 : 2);
    const ordered = [...people].sort((a, b) => rank(a) - rank(b));
    fillList($("tiles"), this.#tiles, ordered, (person) => new Tile(person, this.#onOpen), (tile, person) => {
      const isYou = person.id === own?.id;
      tile.show(person, { isYou, isSilenced: silenced.has(person.id), isDominant: person.id === dominant });
    });
    $("stage-empty").hidden = people.length > 0;
    setText($("stage-count"), String(people.length));
  }

  /** Levels only: no tile comes or goes. */
  updateLevels({ people }) {
    for (const [id, tile] of this.#tiles) {
      const person = people.get(id);
      if (!person) continue;
      tile.showLevel(person);
      setData(tile.element, "dominant", people.dominant === id && person.speaking);
    }
  }
}
