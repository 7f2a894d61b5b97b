// Measures what single requests cost the API: CPU time of refused sign-ups, and memory of exports.
"use strict";
const http = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");
const { EVENTS, HARD } = require("./attacks.js");
const { addEvents } = require("./database.js");
const { cpuSeconds, memory, resetPeak, start, stop } = require("./server.js");
const { origin, send, signUp } = require("./wire.js");

const EXPORTS = 20;
const SIGN_UPS_MS = 20_000;
const REFUSED = 2_000;
/// How long a client that reads nothing stays connected.
const UNREAD_MS = 10_000;

/** Sends sign-ups from one machine, one after the other: some within the budget, the rest refused. */
async function signUps(program, kind) {
  const api = await start(program, kind, `signups${kind}`, 1);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const seen = {};
  const end = Date.now() + SIGN_UPS_MS;
  for (let turn = 0; turn < REFUSED && Date.now() < end; turn += 1) {
    const before = cpuSeconds(api.pid);
    const { status } = await send(api, agent, "POST", "/api/auth/register/", { body: { email: `m${turn}@example.com`, password: HARD } });
    seen[status] ??= { count: 0, seconds: 0 };
    seen[status].count += 1;
    seen[status].seconds += cpuSeconds(api.pid) - before;
  }
  agent.destroy();
  await stop(api);
  for (const [status, { count, seconds }] of Object.entries(seen)) {
    console.log(`${kind.padEnd(8)} ${`a sign-up with a hard password, ${status}`.padEnd(60)} ${((seconds / count) * 1000).toFixed(2).padStart(8)} ms of CPU, mean of ${count}`);
  }
}

/** Requests one export; if it is not read, the connection is closed after `UNREAD_MS`. Returns `{status, size}`. */
function download(api, person, from, read) {
  return new Promise((resolve) => {
    const { headers, localAddress } = origin(api, from);
    headers.authorization = `Bearer ${person.access}`;
    const request = http.get({ host: "127.0.0.1", port: api.port, path: "/api/auth/me/export/", headers, localAddress, agent: false }, (response) => {
      let size = 0;
      response.on("error", () => {});
      response.on("close", () => resolve({ status: response.complete || !read ? response.statusCode : `${response.statusCode}, cut`, size }));
      if (read) response.on("data", (part) => (size += part.length));
      else setTimeout(() => request.destroy(), UNREAD_MS);
    });
    request.on("error", () => resolve({ status: 0, size: 0 }));
  });
}

/** Requests twenty exports at once, of `owners` accounts with an address each. */
async function exportsOf(program, kind, owners, read) {
  const api = await start(program, kind, `exports${kind}${owners}${read ? "read" : "unread"}`, 1);
  const from = (number) => `203.0.113.${10 + (number % owners)}`;
  const people = [];
  for (let number = 0; number < owners; number += 1) people.push(await signUp(api, `e${number}@example.com`, from(number)));
  addEvents(api, people.map(({ email }) => email), EVENTS / owners);
  await sleep(500);
  resetPeak(api.pid);
  const [before, begin] = [memory(api.pid, "VmRSS"), Date.now()];
  const downloads = await Promise.all(Array.from({ length: EXPORTS }, (_, number) => download(api, people[number % owners], from(number), read)));
  const [seconds, peak] = [((Date.now() - begin) / 1000).toFixed(1), memory(api.pid, "VmHWM")];
  await sleep(2_000);
  const after = memory(api.pid, "VmRSS");
  await stop(api);
  const counts = {};
  for (const { status } of downloads) counts[status] = (counts[status] ?? 0) + 1;
  const statuses = Object.entries(counts).map(([status, count]) => `${count} × ${status}`).join(", ");
  const largest = Math.max(...downloads.map(({ size }) => size)) / 1e6;
  const what = `${EXPORTS} exports of ${owners === 1 ? `one account, ${EVENTS} events` : `${owners} accounts, ${EVENTS / owners} events each`}, ${read ? "read" : "not read"}`;
  console.log(`${kind.padEnd(8)} ${what.padEnd(60)} ${String(peak).padStart(5)} MB at most, ${before} before, ${after} after; ${seconds} s, ${statuses}${read ? `, ${largest.toFixed(0)} MB the largest` : ""}`);
}

async function figures(program, kinds) {
  for (const kind of kinds) {
    await signUps(program, kind);
    for (const owners of [1, EXPORTS]) {
      for (const read of [true, false]) await exportsOf(program, kind, owners, read);
    }
  }
}

module.exports = { figures };
