// What is wrong with a field, beside it.

import { $ } from "./dom.js";

/** Says it, or, with an empty text, that nothing is. The field's message has the id `ID-error`. */
export function fieldError(id, text) {
  $(id).setAttribute("aria-invalid", String(text !== ""));
  $(`${id}-error`).textContent = text;
  $(`${id}-error`).hidden = text === "";
}
