// Broken deployments of the client, one for each case of docs/operations/troubleshooting.md.
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MISCONFIGURED, API, FORWARDER } from "./addresses.js";
import { builtClient, staticSite } from "./static-site.js";

/** The client built for another API. The address must keep its length in the program, so it is padded with slashes. */
const builtFor = (address) => (_name, text) => text.replaceAll(API, address.padEnd(API.length, "/"));

/** Replaces a pattern in the files whose names have this prefix. */
const inFiles = (prefix, pattern, text) => (name, old) => (name.startsWith(prefix) ? old.replace(pattern, text) : old);

/** A copy of the built client, each of its files changed by `edit`. */
function copyWith(edit) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-broken-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(builtClient(), folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    writeFileSync(file, edit(name, readFileSync(file, "latin1")), "latin1");
  }
  return folder;
}

/** Redirects every request to the API, as a host that has moved does. */
const redirect = (request, response) => response.writeHead(301, { location: API + request.url }).end();

/** The handler of each of those origins. */
export function brokenSites() {
  return {
    [MISCONFIGURED.unlisted]: staticSite(),
    [MISCONFIGURED.redirected]: staticSite(copyWith(builtFor(FORWARDER))),
    [FORWARDER]: redirect,
    [MISCONFIGURED.unconfigured]: staticSite(copyWith(builtFor("http://127.0.0.1:8000"))),
    [MISCONFIGURED.mixed]: staticSite(copyWith(inFiles("index", new RegExp(API, "g"), "https://other.latchkey.test"))),
    [MISCONFIGURED.outdated]: staticSite(copyWith(inFiles("index", /boot-[0-9a-f]+/, "boot-0000000000000000"))),
    [MISCONFIGURED.changed]: staticSite(copyWith(inFiles("client", /$/, " "))),
    [MISCONFIGURED.filesOnly]: staticSite(undefined, { rewrites: false }),
  };
}
