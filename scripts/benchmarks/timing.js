// How long a refusal takes for known and for unknown accounts, alternately.
"use strict";
const { buildApi, startApi, temporaryFolder } = require("./support");

async function post(address, route, body) {
  const begin = process.hrtime.bigint();
  const response = await fetch(address + route, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return { status: response.status, ms: Number(process.hrtime.bigint() - begin) / 1e6 };
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
const shown = (ms) => ms.toFixed(2).padStart(9);

/** Alternates known and unknown accounts, so that other load on the machine affects both alike. */
async function compare(address, count, route, body) {
  const times = { known: [], unknown: [] };
  const statuses = new Set();
  for (let round = 0; round < count + 5; round++) {
    for (const kind of round % 2 ? ["known", "unknown"] : ["unknown", "known"]) {
      const { status, ms } = await post(address, route, body(kind, round));
      statuses.add(status);
      if (round >= 5) times[kind].push(ms); // the first ones warm up
    }
  }
  const [known, unknown] = ["known", "unknown"].map((kind) => times[kind].sort((a, b) => a - b));
  for (const [kind, sorted] of [["known", known], ["unknown", unknown]]) {
    console.log(`${route.padEnd(34)} ${kind.padEnd(8)} ${shown(quantile(sorted, 0.1))} ${shown(quantile(sorted, 0.5))} ${shown(quantile(sorted, 0.9))}`);
  }
  const ratio = quantile(known, 0.5) / quantile(unknown, 0.5);
  console.log(`${route.padEnd(34)} known / unknown at p50: ${ratio.toFixed(3)}; statuses ${[...statuses].join(", ")}`);
}

async function run([count]) {
  const api = await startApi(buildApi(), temporaryFolder(), { EMAIL_VERIFICATION: "mandatory" });
  const address = `http://${api.address}`;
  const person = "known@example.com";
  await post(address, "/api/auth/register/", { email: person, password: "violet harbor lantern 42" });
  const email = (kind, round) => (kind === "known" ? person : `nobody-${round}@example.com`);
  console.log(`bench: ${count} requests of each kind, one at a time, milliseconds\n`);
  console.log(`${"route".padEnd(34)} ${"account".padEnd(8)} ${"p10".padStart(9)} ${"p50".padStart(9)} ${"p90".padStart(9)}`);
  await compare(address, count, "/api/auth/login/", (kind, round) => ({ email: email(kind, round), password: "not the right one" }));
  await compare(address, count, "/api/auth/password/reset/", (kind, round) => ({ email: email(kind, round) }));
  await compare(address, count, "/api/auth/email/resend/", (kind, round) => ({ email: email(kind, round) }));
  await compare(address, count, "/api/auth/register/", (kind, round) => ({ email: email(kind, `new-${round}`), password: "violet harbor lantern 42" }));
}

module.exports = { usage: "timing [REQUESTS]", counts: { REQUESTS: { usual: 100, from: 10, to: 9_999 } }, run };
