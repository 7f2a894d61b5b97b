// The fields of each kind of service in a Blueprint, and the values that they take, as Render documents them
// (https://render.com/docs/blueprint-spec). `required` lists the fields that a service must have.
"use strict";

/** Each of these validates a value: it returns the reason for refusing it, or nothing. */
const text = (value) => (typeof value === "string" && value.trim() ? undefined : "must be text");
const flag = (value) => (typeof value === "boolean" ? undefined : "must be true or false");
const whole = (minimum, maximum) => (value) =>
  Number.isInteger(value) && value >= minimum && value <= maximum ? undefined : `must be a whole number from ${minimum} to ${maximum}`;
const oneOf =
  (...values) =>
  (value) =>
    values.includes(value) ? undefined : `must be one of: ${values.join(", ")}`;
const shaped = (pattern, description) => (value) => (typeof value === "string" && pattern.test(value) ? undefined : `must be ${description}`);

/** A list, each entry of which is validated. */
const list = (validate) => (value) => {
  if (!Array.isArray(value)) return "must be a list";
  return value.map((entry, index) => prefixed(`[${index}]`, validate(entry))).find(Boolean);
};

/** An object with these fields and no others; `required` lists the mandatory ones. */
const object =
  (fields, required = []) =>
  (value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return "must be an object";
    const missing = required.find((name) => !(name in value));
    if (missing) return `.${missing} is missing`;
    for (const [name, entry] of Object.entries(value)) {
      if (!(name in fields)) return `.${name} is not a field that Render knows here`;
      const reason = prefixed(`.${name}`, fields[name](entry));
      if (reason) return reason;
    }
    return undefined;
  };

/** Prepends a path to a reason; the paths of nested values are joined. */
const prefixed = (path, reason) => reason && (/^[.[]/.test(reason) ? path + reason : `${path} ${reason}`);

/** Validates the ranges of the five fields of a cron expression; names of days and months are not supported. */
const cron = (value) => {
  const ranges = [
    [0, 59],
    [0, 23],
    [1, 31],
    [1, 12],
    [0, 7],
  ];
  const fields = typeof value === "string" ? value.split(" ") : [];
  const fits = (field, [minimum, maximum]) =>
    field.split(",").every((part) => {
      const [, range, step] = /^(\*|\d+(?:-\d+)?)(?:\/([1-9]\d*))?$/.exec(part) ?? [];
      const numbers = range === "*" ? [] : (range?.split("-").map(Number) ?? [NaN]);
      return numbers.every((number) => number >= minimum && number <= maximum) && (!step || Number(step) <= maximum);
    });
  return fields.length === 5 && fields.every((field, index) => fits(field, ranges[index]))
    ? undefined
    : "must be a cron expression";
};

const path = shaped(/^\/\S*$/, "a path that starts with a slash");
const region = oneOf("oregon", "ohio", "virginia", "frankfurt", "singapore");
const nameOf = shaped(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "a name that can be part of a host's: a-z, 0-9 and hyphens");
const allowList = list(
  object({ source: shaped(/^\d+(?:\.\d+){3}(?:\/\d+)?$/, "an address or a range of them (CIDR)"), description: text }, [
    "source",
  ]),
);

/** One entry of `envVars`; check.js validates the combination of sources. */
const variable = object({
  key: shaped(/^[A-Z][A-Z0-9_]*$/, "a variable's name"),
  value: shaped(/^/, "text: quote numbers and booleans"),
  generateValue: oneOf(true),
  sync: oneOf(false),
  previewValue: text,
  fromDatabase: object({ name: text, property: oneOf("host", "port", "user", "password", "database", "connectionString") }, [
    "name",
    "property",
  ]),
  fromService: object(
    {
      name: text,
      type: oneOf("web", "pserv", "worker", "cron", "keyvalue"),
      property: oneOf("host", "port", "hostport", "connectionString"),
      envVarKey: text,
    },
    ["name", "type"],
  ),
  fromGroup: text,
});

const built = {
  type: text,
  runtime: text,
  name: nameOf,
  buildCommand: text,
  repo: text,
  branch: text,
  rootDir: text,
  autoDeployTrigger: oneOf("commit", "checksPass", "off"),
  buildFilter: object({ paths: list(text), ignoredPaths: list(text) }),
  envVars: list(variable),
};
const PAID = ["starter", "standard", "pro", "pro plus"];
const running = { ...built, region, startCommand: text, maxShutdownDelaySeconds: whole(1, 300), preDeployCommand: text };
const scaled = {
  numInstances: whole(1, 100),
  scaling: object(
    {
      minInstances: whole(1, 100),
      maxInstances: whole(1, 100),
      targetMemoryPercent: whole(1, 90),
      targetCPUPercent: whole(1, 90),
    },
    ["minInstances", "maxInstances"],
  ),
  disk: object({ name: text, mountPath: path, sizeGB: whole(1, 10_000) }, ["name", "mountPath"]),
};
const previews = (fields) => object({ generation: oneOf("off", "manual", "automatic"), ...fields });
const previewed = previews({ numInstances: whole(1, 100), plan: oneOf("free", ...PAID) });
const rule = object({ type: oneOf("redirect", "rewrite"), source: path, destination: text }, ["type", "source", "destination"]);
const header = object({ path, name: shaped(/^[A-Za-z-]+$/, "a header's name"), value: text }, ["path", "name", "value"]);

const NATIVE = ["node", "python", "elixir", "go", "ruby", "rust"];
const NEEDED = ["type", "runtime", "name", "buildCommand"];

/** The kinds of services; a static site is a `web` service whose runtime is `static`. */
const KINDS = {
  web: [
    {
      ...running,
      ...scaled,
      runtime: oneOf(...NATIVE),
      plan: oneOf("free", ...PAID, "pro max", "pro ultra"),
      healthCheckPath: path,
      domains: list(text),
      previews: previewed,
    },
    [...NEEDED, "startCommand"],
  ],
  static: [
    { ...built, staticPublishPath: text, headers: list(header), routes: list(rule), domains: list(text), previews: previewed },
    [...NEEDED, "staticPublishPath"],
  ],
  pserv: [
    { ...running, ...scaled, runtime: oneOf(...NATIVE), plan: oneOf(...PAID, "pro max", "pro ultra"), previews: previewed },
    [...NEEDED, "startCommand"],
  ],
  worker: [
    { ...running, ...scaled, runtime: oneOf(...NATIVE), plan: oneOf(...PAID, "pro max", "pro ultra"), previews: previewed },
    [...NEEDED, "startCommand"],
  ],
  cron: [
    { ...built, region, runtime: oneOf(...NATIVE), plan: oneOf(...PAID), startCommand: text, schedule: cron },
    [...NEEDED, "startCommand", "schedule"],
  ],
  keyvalue: [
    {
      type: text,
      name: nameOf,
      region,
      plan: oneOf("free", ...PAID),
      previewPlan: oneOf("free", ...PAID),
      ipAllowList: allowList,
      maxmemoryPolicy: oneOf("allkeys-lru", "volatile-lru", "allkeys-random", "volatile-random", "volatile-ttl", "noeviction"),
    },
    ["type", "name", "ipAllowList"],
  ],
};

const sized = (kind, sizes) => sizes.map((size) => `${kind}-${size}`);
const DATABASE_PLANS = [
  "free",
  ...sized("basic", ["256mb", "1gb", "4gb"]),
  ...sized("pro", ["4gb", "8gb", "16gb", "32gb", "64gb", "128gb", "192gb", "256gb", "384gb", "512gb"]),
  ...sized("accelerated", ["16gb", "32gb", "64gb", "128gb", "256gb", "384gb", "512gb", "768gb", "1024gb"]),
];
const gigabytes = (value) =>
  value === 1 || (Number.isInteger(value) && value > 0 && value % 5 === 0) ? undefined : "must be 1 or a multiple of 5";
const database = object(
  {
    name: text,
    region,
    plan: oneOf(...DATABASE_PLANS),
    previewPlan: oneOf(...DATABASE_PLANS),
    diskSizeGB: gigabytes,
    previewDiskSizeGB: gigabytes,
    postgresMajorVersion: shaped(/^1[1-9]$/, "a major version, quoted"),
    databaseName: text,
    user: text,
    ipAllowList: allowList,
    readReplicas: list(object({ name: text }, ["name"])),
    highAvailability: object({ enabled: flag }, ["enabled"]),
  },
  ["name"],
);

const ROOT = object({
  previews: previews({ expireAfterDays: whole(1, 365) }),
  services: list((service) => serviceProblem(service)),
  databases: list(database),
  envVarGroups: list(object({ name: text, envVars: list(variable) }, ["name", "envVars"])),
});

/** Which of `KINDS` a service is. */
const kindOf = (service) => (service.type === "web" && service.runtime === "static" ? "static" : service.type);

function serviceProblem(service) {
  const kind = KINDS[kindOf(service ?? {})];
  return kind ? object(...kind)(service) : ".type must be one of: web, pserv, worker, cron, keyvalue";
}

/** The variables that Render adds to the environment of every web service. */
const RENDERS_OWN = ["RENDER_EXTERNAL_URL", "RENDER_EXTERNAL_HOSTNAME"];

module.exports = { ROOT, RENDERS_OWN, kindOf };
