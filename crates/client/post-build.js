// Finishes Trunk's build: writes the API's address into the page's policy, adds live reload in development, and checks the HTML
// in the program against the Trusted Types policy of boot.js, which applies to it in the browser.
"use strict";
const { copyFileSync, readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { refusedTemplates } = require("./templates.js");

const { API_BASE_URL, VITE_API_BASE_URL, TRUNK_PROFILE, TRUNK_STAGING_DIR } = process.env;
const POLICY = /(<meta\s+http-equiv="Content-Security-Policy"\s+content=")([^"]*)"/;

/** The page with the API's address in its policy. build.rs has validated the address by then. */
function withAddress(page) {
  if (!POLICY.test(page)) throw new Error("index.html has no policy");
  const address = API_BASE_URL?.trim() || VITE_API_BASE_URL?.trim();
  if (!address) return page;
  const { origin } = new URL(address);
  return page.replace(POLICY, (_, tag, policy) => `${tag}${policy.replaceAll(/http:\/\/[^;\s]*/g, origin)}"`);
}

/** The page with the script that reloads it after a change; a release has none. */
function withReload(page) {
  if (TRUNK_PROFILE !== "debug") return page;
  copyFileSync(join(__dirname, "reload.js"), join(TRUNK_STAGING_DIR, "reload.js"));
  return page.replace("</body>", '<script type="module" src="/reload.js"></script></body>');
}

const file = join(TRUNK_STAGING_DIR, "index.html");
writeFileSync(file, withReload(withAddress(readFileSync(file, "utf8"))));

const program = readdirSync(TRUNK_STAGING_DIR).find((name) => name.endsWith(".wasm"));
const refused = refusedTemplates(readFileSync(join(TRUNK_STAGING_DIR, program), "latin1"));
for (const { tag, template } of refused) {
  console.error(`error: browsers with Trusted Types would not show ${tag}, in this part of a page: ${template}`);
}
if (refused.length) {
  console.error("Allow it in ELEMENTS or ATTRIBUTE of crates/client/boot.js if it can neither load nor run anything from other sites.");
  process.exit(1);
}
