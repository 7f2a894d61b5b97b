// Runs the real API on SQLite in a temporary folder, which is removed when the API ends.
//   node serve-api.js STAGE   one of `STAGES` in addresses.js
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { STAGES } from "./addresses.js";
import { PROGRAM, optionsOf } from "./program.js";
import { onRunnerEnd } from "./runner.js";

const stage = process.argv[2];
const options = optionsOf(stage);
const outbox = STAGES[stage].settings.EMAIL_URL?.replace(/^file:/, "");
const removeFolders = () => {
  for (const folder of [options.cwd, outbox].filter(Boolean)) rmSync(folder, { recursive: true, force: true });
  // The last API also removes the parent folder.
  if (readdirSync(process.env.STAGE_FOLDERS).length === 0) rmSync(process.env.STAGE_FOLDERS, { recursive: true });
};

mkdirSync(options.cwd);
const api = spawn(PROGRAM, [], { ...options, stdio: "inherit" });

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => api.kill("SIGTERM"));
onRunnerEnd(() => api.kill("SIGTERM"));
api.on("error", (error) => {
  console.error(`${PROGRAM} does not start: ${error.message}; build it with cargo build -p api`);
  removeFolders();
  process.exit(1);
});
api.on("exit", (code) => {
  removeFolders();
  process.exit(code ?? 0);
});
