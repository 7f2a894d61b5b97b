// Runs the API that is flooded: a process with a new database, rate limits on, and passwords at their cost in production.
"use strict";
const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const database = require("./database.js");

const root = path.join(__dirname, "../..");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "latchkey-flood-"));
const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux
const running = new Set();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  fs.rmSync(folder, { recursive: true, force: true });
});

function build(release) {
  const cargo = spawnSync("cargo", ["build", "--package", "api", "--locked", ...(release ? ["--release"] : [])], { cwd: root, stdio: "inherit" });
  if (cargo.status !== 0) throw new Error("the API does not build (cargo's output is above)");
  return path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), release ? "release" : "debug", "api");
}

/** Starts the API on a new database; `hops` is the number of proxies in front of it. */
async function start(program, kind, name, hops) {
  const [cwd, mails, url] = [path.join(folder, name), path.join(folder, `${name}-mail`), database.create(kind, name, folder)];
  const env = {
    DATABASE_URL: url, PORT: "0", TRUSTED_PROXY_HOPS: String(hops), EMAIL_URL: `file:${mails}`,
    SECRET_KEY: "a key for one flood and no longer than that", RUST_LOG: "warn,api::cli=info",
  };
  for (const directory of [cwd, mails]) fs.mkdirSync(directory);
  const child = spawn(program, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  running.add(child);
  const port = await new Promise((resolve, reject) => {
    let log = "";
    child.stderr.on("data", (text) => {
      if (log.length < 100_000) log += text;
      const port = /start\.listening: http:\/\/[^:]*:(\d+)/.exec(log)?.[1];
      if (port) resolve(Number(port));
    });
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`the API has ended:\n${log}`)));
  });
  return { port, hops, mails, url, pid: child.pid };
}

/** Whether this API is still running. */
const isRunning = ({ pid }) => [...running].some((child) => child.pid === pid && child.exitCode === null && child.signalCode === null);

async function stop({ pid }) {
  const child = [...running].find((process) => process.pid === pid);
  running.delete(child);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

/** CPU seconds that a process has used. */
function cpuSeconds(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process in megabytes: `VmRSS` is its current use, `VmHWM` its peak. */
function memory(pid, which) {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)[1]) / 1024);
}

/** Resets `VmHWM`. */
const resetPeak = (pid) => fs.writeFileSync(`/proc/${pid}/clear_refs`, "5");

module.exports = { build, cpuSeconds, isRunning, memory, resetPeak, start, stop };
