// What must hold of render.yaml: Render's documented fields, and what this project wants of it besides.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { ROOT, RENDERS_OWN, kindOf } = require("./facts.js");

const root = path.join(__dirname, "../..");
const read = (file) => fs.readFileSync(path.join(root, file), "utf8");

/** The variables that docs/CONFIGURATION.md has a row for, by name and alias: whether each is secret. */
function documented() {
  const rows = read("docs/CONFIGURATION.md").matchAll(/^\| (`[A-Z0-9_]+`[^|]*) \|[^|]*\|[^|]*\|([^|]*)\|/gm);
  const names = (cell) => [...cell.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name]) => name);
  return new Map([...rows].flatMap(([, cell, secret]) => names(cell).map((name) => [name, secret.trim() === "yes"])));
}

/** What of the builds reads beside that: rustup. */
const COMPILER = "RUSTUP_TOOLCHAIN";

/** What would take the place of the proxies that the API knows where RENDER=true, which Render sets. */
const PROXIES = ["TRUSTED_PROXIES", "TRUSTED_PROXY_HOPS"];

const SOURCES = ["value", "generateValue", "sync", "fromDatabase", "fromService"];

/** All problems of a Blueprint, a line each. */
function problems(blueprint) {
  const shape = ROOT(blueprint);
  if (shape) return [`render.yaml${shape.startsWith(".") ? "" : " "}${shape}`];
  const { services = [], databases = [], envVarGroups: groups = [] } = blueprint;
  return [
    ...[services, databases, groups].flatMap(twins),
    ...services.flatMap((service) => serviceProblems(service, blueprint)),
    ...groups.flatMap((group) => variableProblems(group, blueprint)),
    ...groups.flatMap(({ name, envVars }) =>
      envVars
        .filter((entry) => !("value" in entry || "generateValue" in entry))
        .map(({ key }) => `${name}: ${key}: a group's variable has a value or is generated; Render ignores anything else`),
    ),
    ...networkProblems([...services, ...databases]),
    ...headerProblems(services.filter((service) => kindOf(service) === "static")),
  ];
}

/** Names that are given twice. */
const twins = (named) =>
  named
    .filter(({ name }, index) => named.findIndex((other) => other.name === name) < index)
    .map(({ name }) => `${name}: is defined twice`);

function serviceProblems(service, blueprint) {
  const { name, plan, preDeployCommand, disk, numInstances, scaling, buildCommand = "", startCommand = "" } = service;
  const found = [];
  if (plan === "free" && preDeployCommand) found.push(`${name}: the free plan runs no preDeployCommand`);
  if (disk && (numInstances > 1 || scaling)) found.push(`${name}: a service with a disk cannot be scaled`);
  if (scaling && !scaling.targetCPUPercent && !scaling.targetMemoryPercent) found.push(`${name}: scaling needs a target`);
  if (scaling && scaling.minInstances > scaling.maxInstances) found.push(`${name}: scaling has a minimum above its maximum`);
  for (const [script] of buildCommand.matchAll(/\bscripts\/[\w-]+/g)) {
    const { mode = 0 } = fs.statSync(path.join(root, script), { throwIfNoEntry: false }) ?? {};
    if (!(mode & 0o100)) found.push(`${name}: buildCommand: ${script} is no program`);
  }
  const program = /\btarget\/release\/([\w-]+)/.exec(startCommand)?.[1];
  if (program && !buildCommand.includes(`--bin ${program}`)) found.push(`${name}: startCommand: nothing builds ${program}`);
  if (service.runtime === "rust" && !buildCommand.includes("--locked"))
    found.push(`${name}: buildCommand: must build what Cargo.lock says (--locked)`);
  return [...found, ...variableProblems(service, blueprint)];
}

function variableProblems({ name, envVars = [] }, blueprint) {
  const known = documented();
  const keys = envVars.flatMap((entry) => (entry.key ? [entry.key] : []));
  const doubles = keys.filter((key, index) => keys.indexOf(key) < index).map((key) => `${name}: ${key}: is there twice`);
  return [
    ...doubles,
    ...envVars.flatMap((entry) => entryProblems(entry, known, blueprint).map((problem) => `${name}: ${problem}`)),
  ];
}

function entryProblems(entry, known, blueprint) {
  const { key, value, fromGroup, fromDatabase, fromService } = entry;
  if (fromGroup) {
    if (Object.keys(entry).length > 1) return [`fromGroup: ${fromGroup}: stands alone`];
    return blueprint.envVarGroups?.some(({ name }) => name === fromGroup) ? [] : [`fromGroup: there is no group ${fromGroup}`];
  }
  if (!key) return ["a variable has no key"];
  const found = [];
  if (SOURCES.filter((source) => source in entry).length !== 1) found.push(`${key}: has to have one of: ${SOURCES.join(", ")}`);
  if ("sync" in entry && "previewValue" in entry) found.push(`${key}: what is asked for has no previewValue`);
  if (!known.has(key) && key !== COMPILER) found.push(`${key}: docs/CONFIGURATION.md does not know it`);
  if (PROXIES.includes(key)) found.push(`${key}: the API knows the proxies of Render; leave it out`);
  if (known.get(key) && value !== undefined) found.push(`${key}: is secret, and this file is not`);
  if (key === COMPILER && value !== /^channel = "(.*)"/m.exec(read("rust-toolchain.toml"))[1])
    found.push(`${key}: is not the channel of rust-toolchain.toml`);
  if (fromDatabase && !databaseNames(blueprint).includes(fromDatabase.name))
    found.push(`${key}: there is no database ${fromDatabase.name}`);
  return fromService ? [...found, ...referenceProblems(key, fromService, blueprint)] : found;
}

const databaseNames = ({ databases = [] }) =>
  databases.flatMap(({ name, readReplicas = [] }) => [name, ...readReplicas.map((replica) => replica.name)]);

/** What is wrong with a reference to another service. */
function referenceProblems(key, { name, type, property, envVarKey }, { services, envVarGroups = [] }) {
  const target = services.find((service) => service.name === name && service.type === type);
  if (!target) return [`${key}: there is no ${type} service ${name}`];
  if (Boolean(property) === Boolean(envVarKey)) return [`${key}: a reference names a property or a variable`];
  if (envVarKey) {
    const own = (target.envVars ?? []).flatMap(
      (entry) => envVarGroups.find((group) => group.name === entry.fromGroup)?.envVars ?? [entry],
    );
    const given = type === "web" && RENDERS_OWN.includes(envVarKey);
    return given || own.some((entry) => entry.key === envVarKey) ? [] : [`${key}: ${name} has no variable ${envVarKey}`];
  }
  const offered =
    type === "keyvalue"
      ? ["host", "port", "connectionString"]
      : ["web", "pserv"].includes(kindOf(target))
        ? ["host", "port", "hostport"]
        : [];
  return offered.includes(property) ? [] : [`${key}: ${name} has no property ${property}`];
}

/** What talks over the private network stands in one region, and is closed to the internet. */
function networkProblems(all) {
  const placed = all.filter((one) => kindOf(one) !== "static");
  const elsewhere = placed
    .filter(({ region }) => region !== placed[0].region)
    .map(({ name }) => `${name}: is not in ${placed[0].region}, where the others are`);
  const stores = all.filter((one) => !one.type || one.type === "keyvalue");
  const open = stores
    .filter(({ ipAllowList }) => ipAllowList?.length !== 0)
    .map(({ name }) => `${name}: ipAllowList: must be [], or the internet may knock`);
  return [...elsewhere, ...open];
}

/** A static site's headers and rewrite are what the browser tests test. */
function headerProblems(sites) {
  const wanted = JSON.stringify(JSON.parse(read("crates/client/headers.json")));
  return sites.flatMap(({ name, headers = [], routes = [] }) => {
    const found =
      JSON.stringify(headers) === wanted ? [] : [`${name}: headers: are not those of crates/client/headers.json, in its order`];
    const last = routes.at(-1);
    if (last?.type !== "rewrite" || last.source !== "/*" || last.destination !== "/index.html")
      found.push(`${name}: routes: the last one must rewrite /* to /index.html`);
    return found;
  });
}

module.exports = { problems };
