// Copying a link for others.

import { toast } from "./speak.js";

/** Copies, or lets people copy by hand from the field. */
export async function copy(text, field = null, { quiet = false } = {}) {
  try {
    await navigator.clipboard.writeText(text);
    toast("The link is copied.");
  } catch {
    if (quiet) return;
    field?.select();
    toast("Your browser did not let the page copy. Copy the link by hand.");
  }
}
