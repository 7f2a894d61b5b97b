import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "@playwright/test";
import { CLIENT, STAGES } from "./support/addresses.js";
import { createCertificate } from "./support/certificate.js";
import { chromium } from "./support/chromium.js";

createCertificate();
// The folder into which the stories' API writes its mail; workers and servers inherit the variable.
process.env.OUTBOX ??= mkdtempSync(join(tmpdir(), "latchkey-outbox-"));
// The parent of the folders in which the APIs and the program that creates administrators run.
process.env.STAGE_FOLDERS ??= mkdtempSync(join(tmpdir(), "latchkey-e2e-"));

// Servers are stopped by SIGTERM, so that they can remove the APIs' folders. They stop by themselves when this process is killed.
const server = {
  timeout: 60_000,
  reuseExistingServer: false,
  gracefulShutdown: { signal: "SIGTERM", timeout: 5_000 },
  env: { RUNNER: String(process.pid) },
};

export default defineConfig({
  projects: [
    { name: "stories", testDir: "stories" },
    { name: "production", testDir: "production" },
    { name: "screenshots", testDir: "screenshots" },
    { name: "measurements", testDir: "measurements" },
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
