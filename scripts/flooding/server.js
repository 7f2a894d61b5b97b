// The API that is flooded: a process with a new database, limits on, and passwords at the cost of production.
"use strict";
const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const database = require("./database.js");

const root = path.join(__dirname, "../..");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "latchkey-flood-"));
const TICKS_A_SECOND = 100; // USER_HZ, of every Linux
const running = new Set();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  fs.rmSync(folder, { recursive: true, force: true });
});

function build(release) {
  const cargo = spawnSync("cargo", ["build", "--package", "api", "--locked", ...(release ? ["--release"] : [])], { cwd: root, stdio: "inherit" });
  if (cargo.status !== 0) throw new Error("the API does not build (cargo's words are above)");
  return path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), release ? "release" : "debug", "api");
}

/** Starts the API on a new database; `hops` are the proxies before it. */
async function start(program, kind, name, hops) {
  const [cwd, mails, url] = [path.join(folder, name), path.join(folder, `${name}-mail`), database.create(kind, name, folder)];
  const env = {
    DATABASE_URL: url, PORT: "0", TRUSTED_PROXY_HOPS: String(hops), EMAIL_URL: `file:${mails}`,
    SECRET_KEY: "a key for one flood and no longer than that", RUST_LOG: "warn,api::cli=info",
  };
  for (const made of [cwd, mails]) fs.mkdirSync(made);
  const own = spawn(program, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  running.add(own);
  const port = await new Promise((found, lost) => {
    let said = "";
    own.stderr.on("data", (text) => {
      if (said.length < 100_000) said += text;
      const port = /start\.listening: http:\/\/[^:]*:(\d+)/.exec(said)?.[1];
      if (port) found(Number(port));
    });
    own.on("error", lost);
    own.on("exit", () => lost(new Error(`the API has ended:\n${said}`)));
  });
  return { port, hops, mails, url, pid: own.pid };
}

/** Whether this API is still there. */
const lives = ({ pid }) => [...running].some((child) => child.pid === pid && child.exitCode === null && child.signalCode === null);

async function stop({ pid }) {
  const own = [...running].find((child) => child.pid === pid);
  running.delete(own);
  const ended = new Promise((end) => own.on("exit", end));
  own.kill("SIGKILL");
  await ended;
}

/** Seconds of processor that a process has used. */
function cpuSeconds(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Resident memory of a process, megabytes: `VmRSS` is what it has, `VmHWM` the most that it has had. */
function memory(pid, which) {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)[1]) / 1024);
}

/** From here on `VmHWM` begins again. */
const forgetPeak = (pid) => fs.writeFileSync(`/proc/${pid}/clear_refs`, "5");

module.exports = { build, cpuSeconds, forgetPeak, lives, memory, start, stop };
