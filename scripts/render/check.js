// Checks render.yaml: the fields that Render documents, and this project's own requirements.
"use strict";
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { ROOT, RENDERS_OWN, kindOf } = require("./facts.js");

const root = path.join(__dirname, "../..");
const read = (file) => fs.readFileSync(path.join(root, file), "utf8");

/** The variables that docs/reference/configuration.md has a row for, by name and alias, each with whether it is secret. */
function documented() {
  const rows = read("docs/reference/configuration.md").matchAll(/^\| (`[A-Z0-9_]+`[^|]*) \|[^|]*\|[^|]*\|([^|]*)\|/gm);
  const names = (cell) => [...cell.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name]) => name);
  return new Map([...rows].flatMap(([, cell, secret]) => names(cell).map((name) => [name, secret.trim() === "yes"])));
}

/** The variable that only the builds read: rustup's. */
const COMPILER = "RUSTUP_TOOLCHAIN";

/** These would replace the proxies that the API trusts where RENDER=true, which Render sets. */
const PROXIES = ["TRUSTED_PROXIES", "TRUSTED_PROXY_HOPS"];

const SOURCES = ["value", "generateValue", "sync", "fromDatabase", "fromService"];

/** All problems of a Blueprint, one line each. */
function problems(blueprint) {
  const shape = ROOT(blueprint);
  if (shape) return [`render.yaml${shape.startsWith(".") ? "" : " "}${shape}`];
  const { services = [], databases = [], envVarGroups: groups = [] } = blueprint;
  return [
    ...[services, databases, groups].flatMap(duplicates),
    ...services.flatMap((service) => serviceProblems(service, blueprint)),
    ...groups.flatMap((group) => variableProblems(group, blueprint)),
    ...groups.flatMap(({ name, envVars }) =>
      envVars
        .filter((entry) => !("value" in entry || "generateValue" in entry))
        .map(({ key }) => `${name}: ${key}: a group's variable has a value or is generated; Render ignores anything else`),
    ),
    ...services.filter(({ type }) => type === "cron").flatMap((job) => shellProblems(job, services)),
    ...networkProblems([...services, ...databases]),
    ...headerProblems(services.filter((service) => kindOf(service) === "static")),
  ];
}

/** Names that are used twice. */
const duplicates = (named) =>
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
    if (!(mode & 0o100)) found.push(`${name}: buildCommand: ${script} is not executable`);
  }
  const program = /\btarget\/release\/([\w-]+)/.exec(startCommand)?.[1];
  if (program && !buildCommand.includes(`--bin ${program}`)) found.push(`${name}: startCommand: nothing builds ${program}`);
  if (service.runtime === "rust" && !buildCommand.includes("--locked"))
    found.push(`${name}: buildCommand: must build the versions of Cargo.lock (--locked)`);
  return [...found, ...filterProblems(service, program), ...variableProblems(service, blueprint)];
}

let metadata;
/** The packages of the workspace, as Cargo describes them. */
function packages() {
  const command = ["metadata", "--no-deps", "--offline", "--format-version=1"];
  metadata ??= JSON.parse(execFileSync("cargo", command, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 }));
  return metadata.packages;
}

/** The folders of the crates of this repository that a build of this package compiles, its own first. */
function compiledFolders({ manifest_path: manifest, dependencies }) {
  const own = path.dirname(manifest);
  const crates = dependencies
    .filter((dependency) => dependency.path && dependency.kind !== "dev")
    .map((dependency) => packages().find(({ manifest_path: other }) => path.dirname(other) === dependency.path));
  return [...new Set([path.relative(root, own), ...crates.flatMap(compiledFolders)])];
}

/** Whether a file matches a pattern of Render: `*` stays within a folder, `**` does not. */
const matches = (pattern, file) => {
  const parts = pattern.split("**").map((part) => part.replace(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", "[^/]*").replaceAll("?", "[^/]"));
  return new RegExp(`^${parts.join(".*")}$`).test(file);
};

/** A change of a crate that the build compiles must deploy the service. `program` is what it starts; a static site is the client. */
function filterProblems({ name, buildFilter: filter, ...service }, program) {
  const isBuilt = (one) =>
    kindOf(service) === "static" ? one.name === "client" : one.targets.some((target) => target.kind.includes("bin") && target.name === program);
  const built = filter && packages().find(isBuilt);
  if (!built) return [];
  const { paths = ["**"], ignoredPaths = [] } = filter;
  const matched = (patterns, folder) => patterns.some((pattern) => matches(pattern, `${folder}/Cargo.toml`));
  return compiledFolders(built)
    .filter((folder) => !matched(paths, folder) || matched(ignoredPaths, folder))
    .map((folder) => `${name}: buildFilter: leaves out ${folder}, which the build compiles`);
}

function variableProblems({ name, envVars = [] }, blueprint) {
  const known = documented();
  const keys = envVars.flatMap((entry) => (entry.key ? [entry.key] : []));
  const repeated = keys.filter((key, index) => keys.indexOf(key) < index).map((key) => `${name}: ${key}: is set twice`);
  return [
    ...repeated,
    ...envVars.flatMap((entry) => entryProblems(entry, known, blueprint).map((problem) => `${name}: ${problem}`)),
  ];
}

function entryProblems(entry, known, blueprint) {
  const { key, value, fromGroup, fromDatabase, fromService } = entry;
  if (fromGroup) {
    if (Object.keys(entry).length > 1) return [`fromGroup: ${fromGroup}: excludes other fields`];
    return blueprint.envVarGroups?.some(({ name }) => name === fromGroup) ? [] : [`fromGroup: there is no group ${fromGroup}`];
  }
  if (!key) return ["a variable has no key"];
  const found = [];
  if (SOURCES.filter((source) => source in entry).length !== 1) found.push(`${key}: must have exactly one of: ${SOURCES.join(", ")}`);
  if ("sync" in entry && "previewValue" in entry) found.push(`${key}: a variable that a person enters has no previewValue`);
  if (!known.has(key) && key !== COMPILER) found.push(`${key}: docs/reference/configuration.md does not list it`);
  if (PROXIES.includes(key)) found.push(`${key}: the API knows the proxies of Render; leave it out`);
  if (known.get(key) && value !== undefined) found.push(`${key}: is secret, and this file is public`);
  if (key === COMPILER && value !== /^channel = "(.*)"/m.exec(read("rust-toolchain.toml"))[1])
    found.push(`${key}: is not the channel of rust-toolchain.toml`);
  if (fromDatabase && !databaseNames(blueprint).includes(fromDatabase.name))
    found.push(`${key}: there is no database ${fromDatabase.name}`);
  return fromService ? [...found, ...referenceProblems(key, fromService, blueprint)] : found;
}

const databaseNames = ({ databases = [] }) =>
  databases.flatMap(({ name, readReplicas = [] }) => [name, ...readReplicas.map((replica) => replica.name)]);

/** The problems of a reference to another service. */
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
  const available =
    type === "keyvalue"
      ? ["host", "port", "connectionString"]
      : ["web", "pserv"].includes(kindOf(target))
        ? ["host", "port", "hostport"]
        : [];
  return available.includes(property) ? [] : [`${key}: ${name} has no property ${property}`];
}

/** Operators also run a job's command in the shell of the service that is built alike, which must be asked for the same values. */
function shellProblems(job, services) {
  const entered = ({ envVars = [] }) => envVars.filter(({ sync }) => sync === false).map(({ key }) => key);
  const shells = services.filter((one) => kindOf(one) === "web" && one.buildCommand === job.buildCommand);
  return shells.flatMap((shell) =>
    entered(job)
      .filter((key) => !entered(shell).includes(key))
      .map((key) => `${shell.name}: ${key}: is entered for ${job.name}, whose command must do the same in this service's shell`),
  );
}

/** Services that use the private network must be in one region, and databases and stores closed to the internet. */
function networkProblems(all) {
  const inRegions = all.filter((one) => kindOf(one) !== "static");
  const elsewhere = inRegions
    .filter(({ region }) => region !== inRegions[0].region)
    .map(({ name }) => `${name}: is not in ${inRegions[0].region}, where the others are`);
  const stores = all.filter((one) => !one.type || one.type === "keyvalue");
  const open = stores
    .filter(({ ipAllowList }) => ipAllowList?.length !== 0)
    .map(({ name }) => `${name}: ipAllowList: must be [], because an entry opens it to the internet`);
  return [...elsewhere, ...open];
}

/** A static site must have the headers and the rewrite that the browser tests test. */
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
