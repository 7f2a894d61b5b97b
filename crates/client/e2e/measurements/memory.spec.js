// Memory of a tab in which a user follows many links.
import { expect, test } from "../support/test.js";
import { report } from "./report.js";

const NAVIGATIONS = Number(process.env.NAVIGATIONS);
/// After so many navigations, everything that is created once exists.
const WARM = 100;

/** Runs in the page, before its own scripts: keeps a reference to the program's memory. */
function keepMemory() {
  const instantiate = WebAssembly.instantiateStreaming;
  WebAssembly.instantiateStreaming = async (...args) => {
    const result = await instantiate.apply(WebAssembly, args);
    window.programMemory = result.instance.exports.memory;
    return result;
  };
}

/** Follows `count` links of the navigation in turn, and waits for the page of each. Runs in the page. */
async function follow(count) {
  for (let turn = 0; turn < count; turn += 1) {
    const links = [...document.querySelectorAll("nav a")];
    const link = links[turn % links.length];
    link.click();
    while (document.querySelector("h1")?.textContent !== link.textContent) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }
}

async function memory(page, devtools) {
  for (let round = 0; round < 3; round += 1) await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  const program = await page.evaluate(() => window.programMemory.buffer.byteLength);
  return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners"), program };
}

test("memory after many navigations", async ({ app, page, person }) => {
  test.setTimeout(900_000);
  await page.addInitScript(keepMemory);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable");
  await app.signIn(person);
  const after = {};
  for (let navigations = 0; navigations < NAVIGATIONS; navigations += WARM) {
    await page.evaluate(follow, WARM);
    await app.visit("Account");
    await expect(page.getByRole("heading", { name: "Account", exact: true })).toBeVisible();
    after[navigations + WARM] = await memory(page, devtools);
  }
  report({ memory: after });
});
