// The built client as a static host serves it: files, and index.html for every path that is none.
import { createServer } from "node:http";
import { existsSync } from "node:fs";
import sirv from "sirv";
import { API, CLIENT_PORT } from "./addresses.js";

// As strict as production's, so that whatever it forbids is an error in the console, and fails a test.
const POLICY = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self';
  connect-src 'self' ${API}; manifest-src 'self'; worker-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self';
  frame-ancestors 'none'`.replace(/\s+/g, " ");

const root = new URL("../../../../", import.meta.url).pathname;
const folder = process.env.CLIENT_FILES || `${root}dist`;
if (!existsSync(`${folder}/index.html`)) {
  console.error(`${folder} holds no built client; run scripts/test browser`);
  process.exit(1);
}

const files = sirv(folder, {
  single: true,
  etag: true,
  setHeaders: (response) => response.setHeader("content-security-policy", POLICY),
});
const server = createServer((request, response) => files(request, response, () => response.writeHead(404).end()));
server.listen(CLIENT_PORT, "127.0.0.1");
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => process.exit(0));
