// How long a first visit of the sign-in page takes on slow networks and processors.
import { CLIENT } from "../support/addresses.js";
import { expect, test } from "../support/test.js";
import { PROFILES } from "./profiles.js";
import { report } from "./report.js";

const VISITS = 5;

/** Runs in the page, before its own scripts. */
function observe() {
  window.measured = { shift: 0 };
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) window.measured.shift += value;
  }).observe({ type: "layout-shift", buffered: true });
  const look = () => {
    // The form is usable when a person can type, and the program handles it.
    const field = document.querySelector("form input:enabled");
    if (field) window.measured.usable = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** One visit with an empty cache. */
async function visit(newDevice, profile) {
  const app = await newDevice();
  const { page } = app;
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", profile.network);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: profile.slowdown });
  const requested = new Map();
  let [bytes, files] = [0, 0];
  devtools.on("Network.requestWillBeSent", ({ requestId, request }) => requested.set(requestId, request.url));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (!requested.get(requestId)?.startsWith(`${CLIENT}/`)) return;
    bytes += encodedDataLength;
    files += 1;
  });
  await page.addInitScript(observe);
  await app.open("/login");
  await expect(app.identifier).toBeVisible();
  await app.identifier.pressSequentially("ada");
  await expect(app.identifier).toHaveValue("ada");
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  const { usable, shift } = await page.evaluate(() => window.measured);
  await page.context().close();
  return { bytes, files, paint, usable, shift };
}

const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)];

for (const profile of PROFILES) {
  test(profile.name, async ({ newDevice }) => {
    test.setTimeout(300_000);
    const visits = [];
    for (let count = 0; count < VISITS; count += 1) visits.push(await visit(newDevice, profile));
    const of = (key) => median(visits.map((visit) => visit[key]));
    report({ profile: profile.name, goal: profile.goal, bytes: of("bytes"), files: of("files"), paint: of("paint"), usable: of("usable"), shift: of("shift") });
  });
}
