// Creates the databases to flood, and rows that would take an attacker hours to create.
"use strict";
const { spawnSync } = require("node:child_process");
const path = require("node:path");

/** Runs `sql` in the database of `url`. */
function execute(url, sql) {
  const postgres = url.startsWith("postgres");
  const program = postgres ? path.join(process.env.TEST_POSTGRES_BIN, "psql") : "sqlite3";
  const argv = postgres ? [url, "-qc", sql] : ["-cmd", ".timeout 60000", url.slice("sqlite:".length), sql];
  const result = spawnSync(program, argv, { encoding: "utf8" });
  if (result.error) throw new Error(`${program} is missing; install it with your package manager`);
  if (result.status !== 0) throw new Error(`${program}: ${result.stderr}`);
}

/** Creates a database and returns its URL; SQLite creates its file in `folder` when the API opens it. */
function create(kind, name, folder) {
  if (kind === "sqlite") return `sqlite:${folder}/${name}.sqlite3`;
  execute(process.env.TEST_POSTGRES_URL, `CREATE DATABASE ${name}`);
  return process.env.TEST_POSTGRES_URL.replace("/postgres?", `/${name}?`);
}

/** Gives each of these accounts `count` events, copies of its first one. */
function addEvents(api, emails, count) {
  const columns = "user_id, kind, at, ip_address, user_agent, detail";
  const firsts = `SELECT ${columns} FROM auth_events WHERE id IN (SELECT min(e.id) FROM auth_events e JOIN users u ON u.id = e.user_id
    WHERE u.email IN (${emails.map((email) => `'${email}'`).join(", ")}) GROUP BY u.id)`;
  const series = `WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < ${count})`;
  execute(api.url, `INSERT INTO auth_events (${columns}) ${series} SELECT ${columns} FROM (${firsts}) AS firsts CROSS JOIN series`);
}

module.exports = { addEvents, create };
