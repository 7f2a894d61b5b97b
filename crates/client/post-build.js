// Writes the API's address into the policy of the page that Trunk has just built. build.rs has judged the address by then.
const { readFileSync, writeFileSync } = require("node:fs");

const { API_BASE_URL, VITE_API_BASE_URL, TRUNK_STAGING_DIR } = process.env;
const address = API_BASE_URL?.trim() || VITE_API_BASE_URL?.trim();
const POLICY = /(<meta\s+http-equiv="Content-Security-Policy"\s+content=")([^"]*)"/;

const page = `${TRUNK_STAGING_DIR}/index.html`;
const text = readFileSync(page, "utf8");
if (!POLICY.test(text)) throw new Error(`${page} holds no policy`);
if (address) {
  const { origin } = new URL(address);
  writeFileSync(page, text.replace(POLICY, (_, tag, policy) => `${tag}${policy.replaceAll(/http:\/\/[^;\s]*/g, origin)}"`));
}
