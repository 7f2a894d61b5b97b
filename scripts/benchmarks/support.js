// What the benchmarks share: they build the programs, start the API on loopback, stop it, and print tables.
"use strict";
const { execFileSync, spawn, spawnSync } = require("node:child_process");
const { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "../..");
const target = process.env.CARGO_TARGET_DIR || path.join(root, "target");

/** Builds a package's program as production runs it, unless `variable` names one that is already built. */
function build(name, variable) {
  if (process.env[variable]) return path.resolve(process.env[variable]);
  console.error(`bench: building ${name} as production runs it`);
  execFileSync("cargo", ["build", "--quiet", "--release", "--locked", "--package", name], { cwd: root, stdio: "inherit" });
  return path.join(target, "release", name);
}

const buildApi = () => build("api", "API_BINARY");

/** A folder that is removed at the end. It is on the disk, not in memory, because databases wait for the disk. */
function temporaryFolder() {
  const parent = path.join(target, "bench");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(path.join(parent, "run-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const started = new Set();
process.on("exit", () => started.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

let logs = 0;

/** Starts a program and waits until its output, which goes to a file as a service's does, matches `ready`; resolves with the process, the
 *  match and a function that stops it. To read the output of a busy server through a pipe would take processor time from it. */
async function start(program, args, options, ready) {
  const file = path.join(options.cwd, `log-${logs++}`);
  const output = openSync(file, "w");
  const child = spawn(program, args, { ...options, stdio: ["ignore", output, output] });
  closeSync(output);
  started.add(child);
  let problem;
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve((problem = `${program} does not start: ${error.message}`)));
    child.on("exit", () => resolve((problem = `${program} ended:\n${log()}`)));
  });
  ended.then(() => started.delete(child));
  const log = () => readFileSync(file, "utf8");
  const stop = () => {
    child.kill("SIGTERM");
    return ended;
  };
  while (!problem) {
    const found = ready.exec(log());
    if (found) return { child, found, stop, log };
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(problem);
}

/** Starts the API on a free port, in a folder that holds its mail. Rate limits are off: otherwise they would be measured instead of the
 *  code behind them. */
async function startApi(binary, folder, variables) {
  const env = { PATH: process.env.PATH, PORT: "0", RATE_LIMITS: "off", EMAIL_URL: `file:${folder}/outbox`, ...variables };
  const api = await start(binary, [], { cwd: folder, env }, /start\.listening: http:\/\/([\d.:]+)/);
  return { ...api, address: api.found[1] };
}

/** Runs this script again with a PostgreSQL of its own, unless that has happened. */
function withPostgres(...options) {
  if (process.env.TEST_POSTGRES_URL) return;
  const script = path.join(root, "scripts/postgres");
  const rerun = spawnSync(script, ["run", ...options, "--", ...process.argv.slice(1)], { stdio: "inherit" });
  process.exit(rerun.status ?? 1);
}

function psql(url, sql) {
  const args = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url, "-c", sql];
  return execFileSync(path.join(process.env.TEST_POSTGRES_BIN, "psql"), args, { encoding: "utf8" }).trim();
}

/** Creates a database in the temporary PostgreSQL and returns its URL. */
function createDatabase(name) {
  psql(process.env.TEST_POSTGRES_URL, `CREATE DATABASE ${name}`);
  return process.env.TEST_POSTGRES_URL.replace("/postgres?", `/${name}?`);
}

/** What /proc says about a process: a number after a name in `status`. */
function status(pid, name) {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** The commit that is measured; `+` says that the files differ from it. */
function commit() {
  const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") ? "+" : "");
}

/** Prints a table whose first column is text. */
function table(header, rows) {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => String(row[column]).length)));
  for (const row of [header, ...rows]) {
    console.log(row.map((cell, column) => (column === 0 ? String(cell).padEnd(widths[0]) : String(cell).padStart(widths[column]))).join("  "));
  }
}

module.exports = { build, buildApi, commit, createDatabase, psql, root, start, startApi, status, table, target, temporaryFolder, withPostgres };
