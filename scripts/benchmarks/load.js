// Requests a second, latencies, processor time and statements of each scenario, next to the limits of this machine.
//
// In every round each scenario runs on the API and, where there is one, right after it on its limit, so that a change of the machine's
// speed affects both alike. Figures are medians of the rounds, ratios medians of the rounds' ratios.
"use strict";
const { spawn } = require("node:child_process");
const { cpus } = require("node:os");
const { mkdirSync, readFileSync, readdirSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const support = require("./support");
const { limitOfRefresh } = require("./pgbench");

const SCENARIOS = ["verify", "me", "refresh", "login", "register", "mixed", "flood"];
const DATABASES = ["postgres", "sqlite"];
/** Virtual users; as many sign in during a flood. */
const USERS = 16;
/** How many requests of a virtual user the statements are counted of. */
const COUNTED = 20;
/** Kernel clock ticks a second, the unit of /proc. */
const TICKS = 100;

function options(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "5" },
      database: { type: "string", multiple: true, default: DATABASES },
    },
  });
  const unknown = positionals.find((name) => !SCENARIOS.includes(name));
  if (unknown) throw new Error(`no scenario ${unknown}; there are ${SCENARIOS.join(", ")}`);
  const other = values.database.find((name) => !DATABASES.includes(name));
  if (other) throw new Error(`no database ${other}; there are ${DATABASES.join(", ")}`);
  const number = (name, from, to) => {
    const value = Number(values[name]);
    if (!(value >= from && value <= to)) throw new Error(`--${name} is a number from ${from} to ${to}`);
    return value;
  };
  const scenarios = positionals.length ? positionals : SCENARIOS;
  return { rounds: number("rounds", 1, 20), seconds: number("seconds", 1, 20), databases: values.database, scenarios };
}

/** Seconds of processor time of a process and, with `tree`, of its children. */
function cpuSeconds(pid, tree = false) {
  const stat = (of) => readFileSync(`/proc/${of}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  const ticks = (fields) => Number(fields[11]) + Number(fields[12]);
  let sum = ticks(stat(pid));
  if (!tree) return sum / TICKS;
  // What children that have ended used.
  const own = stat(pid);
  sum += Number(own[13]) + Number(own[14]);
  for (const other of readdirSync("/proc")) {
    if (!/^\d+$/.test(other)) continue;
    try {
      const fields = stat(other);
      if (Number(fields[1]) === Number(pid)) sum += ticks(fields);
    } catch {
      // It has ended meanwhile.
    }
  }
  return sum / TICKS;
}

/** Runs a command of the load generator; `watch` is called at the beginning and at the end of what it measures. */
function generate(program, args, watch = () => undefined) {
  return new Promise((resolve, reject) => {
    const load = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    const readings = [];
    let output = "";
    let seen = 0;
    load.stdout.on("data", (text) => {
      output += text;
      for (const line of output.split("\n").slice(seen, -1)) {
        seen += 1;
        if (line === "begin" || line === "end") readings.push({ load: cpuSeconds(load.pid), ...watch() });
      }
    });
    load.on("error", reject);
    load.on("exit", (code) => {
      if (code !== 0) return reject(new Error(`the load generator failed (${code})`));
      const lines = output.trim().split("\n");
      resolve({ figures: lines.length > 0 && lines.at(-1).startsWith("{") ? JSON.parse(lines.at(-1)) : undefined, readings });
    });
  });
}

const median = (values) => {
  const sorted = values.filter((value) => value !== undefined && !Number.isNaN(value)).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)] : undefined;
};

/** One database with the API on it. */
class Bench {
  constructor(database, programs, folder) {
    this.database = database;
    this.programs = programs;
    this.folder = path.join(folder, database);
    mkdirSync(this.folder, { recursive: true });
    this.isPostgres = database === "postgres";
    this.url = this.isPostgres ? support.createDatabase("bench_load") : `sqlite:${this.folder}/bench.sqlite3`;
  }

  /** Starts the API, and waits until it has its database: before that, sign-ups get 503. */
  async startApi(filter = "info") {
    const variables = { DATABASE_URL: this.url, RUST_LOG: filter };
    const api = await support.startApi(this.programs.api, this.folder, variables);
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(`http://${api.address}/readyz`);
      await response.text();
      if (response.ok) return api;
      if (attempt === 1_000) throw new Error(`the API does not become ready:\n${api.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** How long the API takes from its start until it is ready, in milliseconds, and the memory that it has then, in MiB. */
  async timeToReady() {
    const begin = process.hrtime.bigint();
    const api = await this.startApi();
    const took = Number(process.hrtime.bigint() - begin) / 1e6;
    const memory = support.status(api.child.pid, "VmRSS") / 1024;
    await api.stop();
    return { took, memory };
  }

  /** Statements and unprepared statements of a request: their texts are in the log. */
  async countStatements(scenario) {
    const api = await this.startApi("warn,api::cli=info,api::store=trace");
    let from;
    const args = ["load", "--server", api.address, "--scenario", scenario, "--users", "1", "--requests", String(COUNTED)];
    const { figures } = await generate(this.programs.bench, args, () => ({ mark: (from ??= api.log().length) }));
    await api.stop(); // and with it, everything is in the log
    const texts = (log, event) => [...log.matchAll(new RegExp(`store\\.${event}: (.*)`, "g"))].map((match) => match[1]);
    const prepared = new Set(texts(api.log(), "prepared"));
    const statements = texts(api.log().slice(from), "statement");
    const control = /^(BEGIN|ROLLBACK|SELECT 1; COMMIT)/;
    const unprepared = statements.filter((text) => !control.test(text) && !prepared.has(text));
    const requests = requestsOf(figures);
    return { statements: statements.length / requests, unprepared: unprepared.length / requests, texts: [...new Set(statements)], unpreparedTexts: [...new Set(unprepared)] };
  }

  /** What PostgreSQL has written so far: WAL in bytes, updates of rows, and those that stayed in their page without new index entries. */
  written() {
    if (!this.isPostgres) return undefined;
    const sql = `SELECT pg_current_wal_insert_lsn() - '0/0', sum(n_tup_upd), sum(n_tup_hot_upd) FROM pg_stat_user_tables`;
    const [wal, updated, inPlace] = support.psql(this.url, sql).split("|").map(Number);
    return { wal, updated, inPlace };
  }

  /** Runs a scenario on a server, and returns its figures for each request. */
  async measure(scenario, seconds, server, issuer) {
    const pid = server.child.pid;
    const watch = () => ({
      api: cpuSeconds(pid),
      database: this.isPostgres ? cpuSeconds(process.env.TEST_POSTGRES_PID, true) : 0,
    });
    if (this.isPostgres) support.psql(this.url, "CHECKPOINT");
    const before = this.written();
    const args = ["load", "--server", server.address, "--scenario", scenario, "--users", String(USERS), "--seconds", String(seconds)];
    if (issuer) args.push("--issuer", issuer.address);
    const { figures, readings } = await generate(this.programs.bench, args, watch);
    const requests = requestsOf(figures);
    const [begin, end] = readings;
    const milliseconds = (of) => (1e3 * (end[of] - begin[of])) / requests;
    const result = {
      perSecond: requests / figures.seconds,
      operations: figures.operations,
      failures: figures.failures,
      cpu: { api: milliseconds("api"), database: milliseconds("database"), load: milliseconds("load") },
      memory: support.status(pid, "VmRSS") / 1024,
    };
    if (before) {
      // Each session reports its counts at most once a second.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const after = this.written();
      // The warm-up is a fifth of the measured time.
      result.wal = (after.wal - before.wal) / (requests * 1.2);
      result.inPlace = (after.inPlace - before.inPlace) / (after.updated - before.updated);
    }
    return result;
  }
}

const requestsOf = (figures) => Object.values(figures.operations).reduce((sum, operation) => sum + operation.requests, 0);

/** Requests for each second of a processor. */
const perCpuSecond = ({ cpu }) => 1e3 / (cpu.api + cpu.database);

async function run(args) {
  const wanted = options(args);
  if (wanted.databases.includes("postgres")) support.withPostgres("--durable");
  const programs = { api: support.buildApi(), bench: support.build("bench", "BENCH_BINARY") };
  const folder = support.temporaryFolder();
  const report = { commit: support.commit(), cpus: cpus().length, model: cpus()[0].model, ...wanted, databases: {} };
  for (const name of wanted.databases) {
    report.databases[name] = await measureDatabase(new Bench(name, programs, folder), wanted);
    print(name, report.databases[name]);
  }
  const file = path.join(support.target, "bench", "load.json");
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\nbench: all figures are in ${path.relative(process.cwd(), file)}`);
}

async function measureDatabase(bench, { scenarios, rounds, seconds }) {
  await bench.timeToReady(); // and the database has its tables
  const starts = [];
  for (let start = 0; start < 5; start++) starts.push(await bench.timeToReady());
  const api = await bench.startApi();
  await generate(bench.programs.bench, ["accounts", "--server", api.address, "--users", String(2 * USERS)]);
  const runs = {};
  const limits = {};
  for (let round = 0; round < rounds; round++) {
    for (const scenario of scenarios) {
      const measured = await bench.measure(scenario, seconds, api);
      (runs[scenario] ??= []).push(measured);
      const limit = await measureLimit(bench, scenario, seconds, api, measured);
      if (limit) (limits[scenario] ??= []).push(limit);
    }
  }
  await api.stop();
  const counts = {};
  for (const scenario of scenarios.filter((name) => name !== "flood")) counts[scenario] = await bench.countStatements(scenario);
  return { startMilliseconds: median(starts.map(({ took }) => took)), idleMiB: median(starts.map(({ memory }) => memory)), runs, limits, counts };
}

/** The limit of a scenario, measured right after the scenario itself, and the ratio of both. */
async function measureLimit(bench, scenario, seconds, api, measured) {
  if (scenario === "verify" || scenario === "me") {
    const args = ["bare", "--database", bench.url, "--issuer", api.address];
    const bare = await support.start(bench.programs.bench, args, { cwd: bench.folder }, /^([\d.:]+)$/m);
    const limit = await bench.measure(scenario, seconds, { ...bare, address: bare.found[1] }, api);
    await bare.stop();
    return { name: "a bare handler, requests for each second of a processor", limit: perCpuSecond(limit), ratio: perCpuSecond(measured) / perCpuSecond(limit), run: limit };
  }
  if (scenario === "login") {
    const { figures } = await generate(bench.programs.bench, ["hashing", "--seconds", String(seconds)]);
    const limit = figures.verified / figures.seconds;
    return { name: "bcrypt on all cores, passwords a second", limit, ratio: measured.perSecond / limit };
  }
  if (scenario === "flood") {
    const quiet = await bench.measure("me", seconds, api);
    return { name: "p99 of me without the flood, ms", limit: quiet.operations.me.p99, ratio: measured.operations.me.p99 / quiet.operations.me.p99 };
  }
  if (scenario === "refresh" && bench.isPostgres) {
    const { texts } = await bench.countStatements("refresh");
    const limit = limitOfRefresh(bench.url, texts, seconds, bench.folder);
    return { name: "pgbench with the same prepared statement, a second", limit, ratio: measured.perSecond / limit };
  }
  if (scenario === "refresh") {
    const args = ["sqlite", "--database", bench.url.replace("sqlite:", ""), "--seconds", String(seconds)];
    const { figures } = await generate(bench.programs.bench, args);
    const limit = figures.commits / figures.seconds;
    return { name: "SQLite alone with the same transaction, a second", limit, ratio: measured.perSecond / limit };
  }
  return undefined;
}

const shown = (value, digits = 2) => (value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits));

function print(name, { startMilliseconds, idleMiB, runs, limits, counts }) {
  console.log(`\n${name}: ready ${shown(startMilliseconds, 0)} ms after its start, ${shown(idleMiB, 0)} MiB idle\n`);
  const rows = Object.entries(runs).map(([scenario, all]) => {
    const of = (pick) => median(all.map(pick));
    const slowest = (quantile) => of(({ operations }) => Math.max(...Object.values(operations).map((operation) => operation[quantile])));
    const failures = all.reduce((sum, { failures }) => sum + Object.values(failures).reduce((a, b) => a + b, 0), 0);
    const count = counts[scenario];
    return [
      scenario,
      shown(of(({ perSecond }) => perSecond), 0),
      ...["p50", "p95", "p99", "p999"].map((quantile) => shown(slowest(quantile))),
      failures,
      ...["api", "database", "load"].map((of_) => shown(of(({ cpu }) => cpu[of_]), 3)),
      shown(of(({ memory }) => memory), 0),
      shown(count?.statements, 1),
      shown(count?.unprepared, 1),
      shown(of(({ wal }) => wal), 0),
      shown(100 * of(({ inPlace }) => inPlace), 0),
    ];
  });
  const header = ["", "a second", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms", "failed", "API ms", "DB ms", "load ms", "MiB", "statements", "unprepared", "WAL B", "in place %"];
  support.table(header, rows);
  const limited = Object.entries(limits).map(([scenario, all]) => [scenario, all[0].name, shown(median(all.map(({ limit }) => limit)), 0), `${shown(100 * median(all.map(({ ratio }) => ratio)), 0)} %`]);
  if (limited.length) {
    console.log("");
    support.table(["", "limit", "figure", "reached"], limited);
  }
}

module.exports = { run };
