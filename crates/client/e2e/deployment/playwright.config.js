// For scripts/deployment, which starts everything and says where: PROXY leads to the hosts of the deployment, KEY is the hash
// of their certificate's key. A browser that ignored the certificate would cache nothing.
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
