// Whether everybody can use a page: what axe-core finds in it, and the keyboard alone.

import * as settings from "./settings.mjs";

const MOST_TABS = 40;
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };
const WORST = new Set(["serious", "critical"]);

const axe = settings.axe();

/** What was looked at, and what was pressed; `at` is the view of the last look. */
export const summary = { looks: 0, keyboard: [], at: "" };

/** Fails with this text unless the condition holds. */
export function expect(condition, text) {
  if (!condition) throw new Error(text);
}

/** What axe finds in the page as it is now, light and dark, wide and narrow. */
export async function look(page, view) {
  summary.at = view;
  for (const viewport of [WIDE, NARROW]) {
    await page.setViewport(viewport);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: scheme },
        { name: "prefers-reduced-motion", value: "reduce" },
      ]);
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
        return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map((n) => n.html).slice(0, 3) }));
      });
      const bad = found.filter(({ impact }) => WORST.has(impact));
      expect(bad.length === 0, `${view}, ${scheme}, ${viewport.width} px: ${JSON.stringify(bad, null, 2)}`);
      const { wide, moving } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        moving: document.getAnimations().length,
      }));
      expect(wide <= 0, `${view}: ${wide} px beyond the width of ${viewport.width} px`);
      expect(moving === 0, `${view}: something moves for who asked for less motion`);
      summary.looks += 1;
    }
  }
  await page.setViewport(WIDE);
}

/** Presses Tab until the focus is on what the selector finds. */
export async function tabTo(page, selector) {
  for (let i = 0; i < MOST_TABS; i += 1) {
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${MOST_TABS} tabs do not lead to ${selector}`);
}

/** Goes to what the selector finds by Tab, and presses a key there. */
export async function press(page, selector, key = "Enter") {
  await page.waitForSelector(selector, { visible: true });
  await tabTo(page, selector);
  await page.keyboard.press(key);
  summary.keyboard.push(selector);
}

/** Whether the focus is in what the selector finds. */
export function focusIsIn(page, selector) {
  return page.evaluate((wanted) => Boolean(document.activeElement.closest(wanted)), selector);
}
