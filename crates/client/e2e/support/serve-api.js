// The real API, on SQLite in a temporary folder that goes when it ends.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ACCESS_LIFETIME, API_PORT, CLIENT } from "./addresses.js";

const root = new URL("../../../../", import.meta.url).pathname;
const binary = process.env.API_BINARY || join(process.env.CARGO_TARGET_DIR || join(root, "target"), "debug/api");
const folder = mkdtempSync(join(tmpdir(), "latchkey-e2e-"));

// Only these variables: a developer's own configuration has no say here.
const api = spawn(binary, [], {
  cwd: folder,
  stdio: "inherit",
  env: {
    PATH: process.env.PATH,
    HOST: "127.0.0.1",
    PORT: String(API_PORT),
    CORS_ALLOWED_ORIGINS: CLIENT,
    ACCESS_TOKEN_LIFETIME: String(ACCESS_LIFETIME),
    BCRYPT_COST: "4",
    RATE_LIMITS: "off",
    RUST_LOG: process.env.RUST_LOG || "warn",
  },
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => api.kill("SIGTERM"));
api.on("error", (error) => {
  console.error(`${binary} does not start: ${error.message}; build it with cargo build -p api`);
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
});
api.on("exit", (code) => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(code ?? 0);
});
