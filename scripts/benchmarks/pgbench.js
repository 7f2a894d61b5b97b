// What PostgreSQL alone does with the statement that exchanges a refresh token, prepared, as pgbench sends it.
"use strict";
const { execFileSync } = require("node:child_process");
const { writeFileSync } = require("node:fs");
const path = require("node:path");

/** As many as the API opens by default. */
const CONNECTIONS = 10;
/** The values of the API's statement in their order, as pgbench's variables. */
const VALUES = [
  "1", // generations
  ":next_jti",
  "NULL", // no idempotency key
  ":client_hash",
  ":now",
  ":idle_end",
  ":idle_end",
  ":session",
  ":owner",
  ":s_jti",
  ":s_generation",
  ":now",
  ":now",
];

/** Each connection takes a live session of its own and goes on from the generation that the last statement returned. */
const SCRIPT = (statement) => `
\\if :begun = 0
SELECT id AS session, user_id AS owner, jti AS s_jti, generation AS s_generation
  FROM sessions WHERE revoked_at IS NULL AND expires_at > :now ORDER BY id LIMIT 1 OFFSET :client_id \\gset
\\set begun 1
\\endif
${statement} \\gset s_
`;

/** Statements a second. `texts` are the statements of the API's own request. */
function limitOfRefresh(url, texts, seconds, folder) {
  const found = texts.filter((text) => text.startsWith('UPDATE "sessions"'));
  const parameters = found.length === 1 ? (found[0].match(/\$\d+/g) ?? []).length : 0;
  if (parameters !== VALUES.length) throw new Error("the statement that refreshes has changed; change VALUES in scripts/benchmarks/pgbench.js");
  const script = path.join(folder, "refresh.sql");
  writeFileSync(script, SCRIPT(found[0].replace(/\$(\d+)/g, (_, number) => VALUES[number - 1])));
  const day = 86_400_000;
  const variables = {
    begun: 0,
    next_jti: "0123456789abcdef0123456789abcdef",
    client_hash: `\\x${"5a".repeat(32)}`,
    now: new Date().toISOString(),
    idle_end: new Date(Date.now() + 7 * day).toISOString(),
  };
  const define = Object.entries(variables).flatMap(([name, value]) => ["-D", `${name}=${value}`]);
  const args = ["-n", "-M", "prepared", "-c", CONNECTIONS, "-j", 2, "-T", Math.ceil(seconds), "-f", script, ...define, url];
  const output = execFileSync(path.join(process.env.TEST_POSTGRES_BIN, "pgbench"), args.map(String), { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return Number(/tps = ([\d.]+)/.exec(output)[1]);
}

module.exports = { limitOfRefresh };
