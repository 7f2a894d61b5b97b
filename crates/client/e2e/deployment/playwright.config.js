// For scripts/deployment, which starts the deployment: PROXY is the proxy to its hosts, KEY the hash of their certificate's key.
// The browser trusts that key only, because one that ignores certificate errors caches nothing.
import { defineConfig } from "@playwright/test";
import { CLIENT } from "../support/addresses.js";
import { chromium } from "../support/chromium.js";

export default defineConfig({
  workers: 1,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    baseURL: CLIENT,
    proxy: { server: process.env.PROXY },
    locale: "en-GB",
    launchOptions: { ...chromium, args: [...chromium.args, `--ignore-certificate-errors-spki-list=${process.env.KEY}`] },
  },
});
