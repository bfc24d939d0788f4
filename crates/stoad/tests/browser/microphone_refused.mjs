// Somebody refuses the microphone: the page says so and what to do, and after they have allowed it,
// trying again brings them in.
//
// Prints a summary as JSON and ends with 0, or prints what went wrong and ends with 1.

import { withBrowsers } from "./lib/browsers.mjs";
import { RoomPage } from "./lib/room_page.mjs";
import { pageUrl } from "./lib/settings.mjs";

const BOUND_MS = 60_000;
const room = `refused-${process.pid}-${Date.now().toString(36)}`;

/** The message as a person sees it, or null while there is none. */
function readMessage() {
  const panel = document.getElementById("problem");
  if (panel.checkVisibility() === false) return null;
  return {
    title: document.getElementById("problem-title").textContent,
    steps: [...document.querySelectorAll("#problem-steps li")].map((item) => item.textContent),
    role: panel.getAttribute("role"),
    focus: document.activeElement.id,
  };
}

function expect(condition, text) {
  if (!condition) throw new Error(text);
}

let joined;

try {
  const summary = await withBrowsers(BOUND_MS, async ({ launch }) => {
    const browser = await launch.chromium({ ask: true });
    const context = browser.defaultBrowserContext();
    const { origin } = new URL(pageUrl);
    await context.overridePermissions(origin, []); // everything not named is denied
    joined = await RoomPage.join(browser, { name: "Ada", hertz: 0, room });
    await joined.page.waitForFunction(readMessage);
    const message = await joined.page.evaluate(readMessage);
    expect(/microphone is blocked/.test(message.title), `the title is "${message.title}"`);
    expect(message.steps.length > 0, "nothing says what to do");
    expect(message.role === "alert", "screen readers are not told");
    expect(message.focus === "retry", `the focus is on "${message.focus}"`);
    expect((await joined.observe()).connection === "idle", "there is a call without a microphone");
    await joined.screenshot("refused");

    await context.overridePermissions(origin, ["microphone"]);
    await joined.page.click("#retry");
    await joined.until("the call", ({ connection }) => (
      connection === "connected" ? null : `the connection is ${connection}`));
    expect(await joined.page.$eval("#problem", (panel) => !panel.checkVisibility()), "the message stays");
    return { room, message };
  });
  console.log(JSON.stringify(summary, null, 2));
} catch (error) {
  console.error(`failed: ${error.message}`);
  if (joined?.complaint) console.error(`waited for ${joined.waitingFor}: ${joined.complaint}`);
  process.exitCode = 1;
}
