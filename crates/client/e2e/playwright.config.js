import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "@playwright/test";
import { CLIENT, STAGES } from "./support/addresses.js";
import { makeCertificate } from "./support/certificate.js";
import { chromium } from "./support/chromium.js";

makeCertificate();
// Where the stories' API puts its mail, and the stories look for it; workers and servers inherit the name.
process.env.OUTBOX ??= mkdtempSync(join(tmpdir(), "latchkey-outbox-"));
// Where each API has a folder of its own, and the stories' program makes administrators.
process.env.STAGE_FOLDERS ??= mkdtempSync(join(tmpdir(), "latchkey-e2e-"));

// All end with the run: asked first, because the APIs' folders are to be removed.
const server = { timeout: 60_000, reuseExistingServer: false, gracefulShutdown: { signal: "SIGTERM", timeout: 5_000 } };

export default defineConfig({
  projects: [
    { name: "stories", testDir: "stories" },
    { name: "production", testDir: "production" },
    { name: "screenshots", testDir: "screenshots" },
  ],
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    baseURL: CLIENT,
    ignoreHTTPSErrors: true,
    locale: "en-GB",
    launchOptions: chromium,
    trace: "retain-on-failure",
  },
  webServer: [
    ...Object.entries(STAGES).map(([name, { port }]) => ({
      name: `api: ${name}`,
      command: `node support/serve-api.js ${name}`,
      url: `http://127.0.0.1:${port}/readyz`,
      ...server,
    })),
    { name: "edge", command: "node support/serve-edge.js", url: `http://127.0.0.1:${STAGES.stories.edge}/`, ...server },
  ],
});
