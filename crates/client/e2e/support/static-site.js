// Serves the built client as a static host does: files with the headers of headers.json, and index.html for every path without a
// file.
import { existsSync, readFileSync } from "node:fs";
import sirv from "sirv";
import { API } from "./addresses.js";

const root = new URL("../../../../", import.meta.url).pathname;

/** The header rules of the host's configuration: `path`, `name`, `value`. */
export const rules = JSON.parse(readFileSync(`${root}crates/client/headers.json`, "utf8"));

/** Whether a rule's path matches a request's: `*` matches anything, but only within one segment if something follows it. */
export function matches(path, pathname) {
  const [before, after] = path.split("*");
  if (after === undefined) return pathname === before;
  const middle = pathname.slice(before.length, pathname.length - after.length);
  const fits = pathname.startsWith(before) && pathname.endsWith(after) && pathname.length >= before.length + after.length;
  return fits && (after === "" || !middle.includes("/"));
}

/** The folder of the built client. */
export function builtClient() {
  const folder = process.env.CLIENT_FILES || `${root}dist`;
  if (!existsSync(`${folder}/index.html`)) throw new Error(`${folder} holds no built client; run scripts/browser`);
  return folder;
}

/** Serves the files of `folder`, and index.html for any other path if the host rewrites paths. */
export function staticSite(folder = builtClient(), { rewrites = true } = {}) {
  // A file that has a compressed one next to it is sent as that.
  const files = sirv(folder, { single: rewrites, ignores: false, etag: true, brotli: true });
  return (request, response) => {
    const { pathname } = new URL(request.url, API);
    for (const rule of rules) if (matches(rule.path, pathname)) response.setHeader(rule.name, rule.value);
    files(request, response, () => response.writeHead(404).end("Not Found"));
  };
}
