import { defineConfig } from "@playwright/test";
import { API, CLIENT } from "./support/addresses.js";

// An ordinary Chromium from the system's packages; nothing is downloaded.
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// Both end with the run: asked first, because the API's folder is to be removed.
const server = { timeout: 60_000, reuseExistingServer: false, gracefulShutdown: { signal: "SIGTERM", timeout: 5_000 } };

export default defineConfig({
  projects: [
    { name: "stories", testDir: "stories" },
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
    locale: "en-GB",
    launchOptions: { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: flags },
    trace: "retain-on-failure",
  },
  webServer: [
    { name: "api", command: "node support/serve-api.js", url: `${API}/readyz`, ...server },
    { name: "client", command: "node support/serve-client.js", url: `${CLIENT}/`, ...server },
  ],
});
