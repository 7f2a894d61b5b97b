// The client in Chromium: bytes, times and memory. The measurements are crates/client/e2e/measurements/.
"use strict";
const { execFileSync } = require("node:child_process");
const { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { brotliCompressSync } = require("node:zlib");
const { root, table, target, temporaryFolder } = require("./support");

/** Runs commands of Bash with the functions of scripts/lib.sh. */
const bash = (commands, environment = {}) =>
  execFileSync("bash", ["-c", `source scripts/lib.sh; ${commands}`], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "inherit", "inherit"],
  });

/** A copy of the built client with each file compressed next to it, as a host sends it. */
function compressed(from, to) {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    copyFileSync(path.join(from, name), path.join(to, name));
    writeFileSync(path.join(to, `${name}.br`), brotliCompressSync(readFileSync(path.join(from, name))));
  }
}

const kilobytes = (bytes) => Math.round(bytes / 1_000);

function print(results) {
  const { memory } = results.find((result) => result.memory);
  const loads = results.filter((result) => result.profile);
  console.log();
  table(
    ["first visit of the sign-in page", "kB", "files", "paint ms", "usable ms", "goal ms", "shift"],
    loads.map(({ profile, bytes, files, paint, usable, goal, shift }) => [profile, kilobytes(bytes), files, Math.round(paint), Math.round(usable), goal, shift.toFixed(3)]),
  );
  console.log();
  table(
    ["navigations", "heap kB", "nodes", "listeners", "program kB"],
    Object.entries(memory).map(([navigations, { heap, nodes, listeners, program }]) => [navigations, kilobytes(heap), nodes, listeners, kilobytes(program)]),
  );
  console.log(`\n${JSON.stringify(results)}`);
}

async function run([navigations]) {
  const folder = temporaryFolder();
  const files = path.join(folder, "client");
  const file = path.join(folder, "measurements");
  // The API is that of the browser tests: a debug build, because only the client is measured.
  bash("scripts/setup test; build_test_api; build_e2e_client");
  compressed(path.join(target, "e2e-client"), files);
  // One at a time, because they share the processor.
  bash("run_playwright --project=measurements --workers=1", { CLIENT_FILES: files, MEASUREMENTS: file, NAVIGATIONS: String(navigations) });
  print(readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line)));
}

module.exports = { usage: "client [NAVIGATIONS]", counts: { NAVIGATIONS: { usual: 1_000, from: 100, to: 100_000 } }, run };
