// The real APIs, each on SQLite in a temporary folder that goes when it ends.
//   node serve-api.js STAGE   one of `STAGES` in addresses.js
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ACCESS_LIFETIME, STAGES } from "./addresses.js";

const { port, settings } = STAGES[process.argv[2]];
const root = new URL("../../../../", import.meta.url).pathname;
const binary = process.env.API_BINARY || join(process.env.CARGO_TARGET_DIR || join(root, "target"), "debug/api");
const folder = mkdtempSync(join(tmpdir(), "latchkey-e2e-"));
const outbox = settings.EMAIL_URL?.replace(/^file:/, "");
const removeFolders = () => {
  for (const made of [folder, outbox].filter(Boolean)) rmSync(made, { recursive: true, force: true });
};

// Only these variables: a developer's own configuration has no say here.
const api = spawn(binary, [], {
  cwd: folder,
  stdio: "inherit",
  env: {
    PATH: process.env.PATH,
    HOST: "127.0.0.1",
    PORT: String(port),
    ACCESS_TOKEN_LIFETIME: String(ACCESS_LIFETIME),
    RUST_LOG: process.env.RUST_LOG || "error",
    ...settings,
  },
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => api.kill("SIGTERM"));
api.on("error", (error) => {
  console.error(`${binary} does not start: ${error.message}; build it with cargo build -p api`);
  removeFolders();
  process.exit(1);
});
api.on("exit", (code) => {
  removeFolders();
  process.exit(code ?? 0);
});
