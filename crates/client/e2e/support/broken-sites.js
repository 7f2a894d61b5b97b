// Deployments of the client that went wrong, each in one of the ways of docs/operations/troubleshooting.md.
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AMISS, API, FORWARDER } from "./addresses.js";
import { builtClient, staticSite } from "./static-site.js";

/** The client built for another API. The address has no length to spare in the program, so it is filled up with slashes. */
const builtFor = (address) => (_name, text) => text.replaceAll(API, address.padEnd(API.length, "/"));

/** Replaces a pattern in the files that begin so. */
const inFiles = (start, pattern, text) => (name, old) => (name.startsWith(start) ? old.replace(pattern, text) : old);

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

/** Sends every request on to the API, as a host does that has moved. */
const forward = (request, response) => response.writeHead(301, { location: API + request.url }).end();

/** What answers at each of those origins. */
export function brokenSites() {
  return {
    [AMISS.unlisted]: staticSite(),
    [AMISS.redirected]: staticSite(copyWith(builtFor(FORWARDER))),
    [FORWARDER]: forward,
    [AMISS.unconfigured]: staticSite(copyWith(builtFor("http://127.0.0.1:8000"))),
    [AMISS.mixed]: staticSite(copyWith(inFiles("index", new RegExp(API, "g"), "https://other.latchkey.test"))),
    [AMISS.outdated]: staticSite(copyWith(inFiles("index", /boot-[0-9a-f]+/, "boot-0000000000000000"))),
    [AMISS.changed]: staticSite(copyWith(inFiles("client", /$/, " "))),
    [AMISS.filesOnly]: staticSite(undefined, { rewrites: false }),
  };
}
