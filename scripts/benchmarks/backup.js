// Seconds, memory and size of backups.
"use strict";
const { spawn } = require("node:child_process");
const { statSync } = require("node:fs");
const path = require("node:path");
const { buildApi, createDatabase, psql, status, table, temporaryFolder, withPostgres } = require("./support");

/** Runs the program to its end, and returns how long it took and its peak memory. */
function timed(binary, folder, url, ...args) {
  return new Promise((resolve, reject) => {
    const begin = process.hrtime.bigint();
    const api = spawn(binary, args, { cwd: folder, env: { DATABASE_URL: url }, stdio: ["ignore", "ignore", "inherit"] });
    let peak = 0;
    // The kernel keeps the peak, so reading it periodically is enough.
    const poll = setInterval(() => {
      try {
        peak = status(api.pid, "VmHWM") || peak;
      } catch {
        // The process has ended, or this system is not Linux.
      }
    }, 20);
    api.on("error", reject);
    api.on("exit", (code) => {
      clearInterval(poll);
      if (code === 0) resolve({ seconds: Number(process.hrtime.bigint() - begin) / 1e9, peak });
      else reject(new Error(`api ${args.join(" ")} exited with ${code}`));
    });
  });
}

/** Realistic users: most of a row is a password hash, which does not compress. */
const PEOPLE = (users) => `
  INSERT INTO users (email, email_canonical, username, username_canonical, password_hash, display_name, created_at, last_login_at)
    SELECT 'Person.' || n || '@Example.com', 'person.' || n || '@example.com', 'Person' || n, 'person' || n,
      'bcrypt_sha256$$2b$12$' || left(encode(sha256(('p' || n)::bytea), 'base64') || md5('q' || n), 53), 'Person ' || n,
      timestamptz '2025-01-01' + n * interval '7.654321 s', timestamptz '2026-01-01' + n * interval '1.234567 s'
    FROM generate_series(1, ${users}) AS n;
  INSERT INTO sessions (id, user_id, generation, jti, created_at, rotated_at, expires_at, absolute_expires_at, ip_address, user_agent)
    SELECT gen_random_uuid(), n, 1 + n % 50, gen_random_uuid(), at, at, at + interval '7 days', at + interval '90 days',
      '2001:db8::' || to_hex(n), 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
    FROM (SELECT n, timestamptz '2026-01-01' + n * interval '1.234567 s' AS at FROM generate_series(1, ${users}) AS n) AS numbers;
  INSERT INTO auth_events (user_id, kind, at, ip_address)
    SELECT n, 'logged_in', timestamptz '2026-01-01' + n * interval '1.234567 s', '2001:db8::' || to_hex(n)
    FROM generate_series(1, ${users}) AS n;
`;

async function run([count]) {
  withPostgres();
  const binary = buildApi();
  const folder = temporaryFolder();
  const [source, target] = ["source", "target"].map((name) => createDatabase(`bench_${name}`));
  await timed(binary, folder, source, "migrate");
  psql(source, PEOPLE(count));
  console.log(`bench: ${count} users, each with a session and an event\n`);
  const rows = [];
  const step = async (name, url, ...args) => {
    const { seconds, peak } = await timed(binary, folder, url, "backup", ...args);
    const size = statSync(path.join(folder, args.at(-1))).size / 2 ** 20;
    rows.push([name, seconds.toFixed(1), (peak / 1024).toFixed(0), size.toFixed(0)]);
  };
  await step("create, PostgreSQL", source, "create", "--to", "one");
  await step("verify", "", "verify", "one");
  await step("restore, SQLite", "sqlite:bench.sqlite3", "restore", "one");
  await step("create, SQLite", "sqlite:bench.sqlite3", "create", "--to", "two");
  await step("restore, PostgreSQL", target, "restore", "two");
  table(["", "seconds", "peak MiB", "file MiB"], rows);
}

module.exports = { usage: "backup [USERS]", counts: { USERS: { usual: 1_000_000, from: 10, to: 5_000_000 } }, run };
