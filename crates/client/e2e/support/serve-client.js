// The built client as a static host serves it: files, and index.html for every path that is none.
import { createServer } from "node:http";
import { existsSync } from "node:fs";
import sirv from "sirv";
import { CLIENT_PORT } from "./addresses.js";

const root = new URL("../../../../", import.meta.url).pathname;
const folder = process.env.CLIENT_FILES || `${root}dist`;
if (!existsSync(`${folder}/index.html`)) {
  console.error(`${folder} holds no built client; run scripts/test browser`);
  process.exit(1);
}

const files = sirv(folder, { single: true, etag: true });
const server = createServer((request, response) => files(request, response, () => response.writeHead(404).end()));
server.listen(CLIENT_PORT, "127.0.0.1");
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => process.exit(0));
