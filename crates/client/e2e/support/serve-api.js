// The real APIs, each on SQLite in a temporary folder that goes when it ends.
//   node serve-api.js STAGE   one of `STAGES` in addresses.js
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { STAGES } from "./addresses.js";
import { PROGRAM, optionsOf } from "./program.js";

const stage = process.argv[2];
const options = optionsOf(stage);
const outbox = STAGES[stage].settings.EMAIL_URL?.replace(/^file:/, "");
const removeFolders = () => {
  for (const made of [options.cwd, outbox].filter(Boolean)) rmSync(made, { recursive: true, force: true });
  // The last one takes the folder of them all along.
  if (readdirSync(process.env.STAGE_FOLDERS).length === 0) rmSync(process.env.STAGE_FOLDERS, { recursive: true });
};

mkdirSync(options.cwd);
const api = spawn(PROGRAM, [], { ...options, stdio: "inherit" });

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => api.kill("SIGTERM"));
api.on("error", (error) => {
  console.error(`${PROGRAM} does not start: ${error.message}; build it with cargo build -p api`);
  removeFolders();
  process.exit(1);
});
api.on("exit", (code) => {
  removeFolders();
  process.exit(code ?? 0);
});
