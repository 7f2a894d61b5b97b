// Blueprints that the check must refuse: the change that breaks each, and a part of the message that must report it.
"use strict";

const service = (blueprint, name) => blueprint.services.find((one) => one.name === name);
const api = (change) => (blueprint) => change(service(blueprint, "latchkey-api"));
const client = (change) => (blueprint) => change(service(blueprint, "latchkey"));
const job = (change) => (blueprint) => change(service(blueprint, "latchkey-backup"));
const limits = (change) => (blueprint) => change(service(blueprint, "latchkey-limits"));
const database = (change) => (blueprint) => change(blueprint.databases[0]);
const variable = (key, change) => api(({ envVars }) => change(envVars.find((entry) => entry.key === key)));
const added = (entry) => api(({ envVars }) => envVars.push(entry));

const BROKEN = [
  ["an unknown field", (blueprint) => (blueprint.service = []), ".service is not a field"],
  ["a preview's unknown mode", (blueprint) => (blueprint.previews.generation = "auto"), "must be one of: off, manual"],
  ["an unknown type", api((one) => (one.type = "site")), ".type must be one of"],
  ["an unknown runtime", api((one) => (one.runtime = "rustc")), ".runtime must be one of"],
  ["an unknown plan", api((one) => (one.plan = "small")), ".plan must be one of"],
  ["an unknown region", api((one) => (one.region = "paris")), ".region must be one of"],
  ["a name that cannot be part of a host's", api((one) => (one.name = "Latchkey API")), "can be part of a host's"],
  ["no build command", api((one) => delete one.buildCommand), ".buildCommand is missing"],
  ["no start command", api((one) => delete one.startCommand), ".startCommand is missing"],
  ["a start command that nothing builds", api((one) => (one.startCommand = "target/release/server")), "nothing builds server"],
  ["a build that ignores Cargo.lock", api((one) => (one.buildCommand = "cargo build --release --bin api")), "--locked"],
  ["a build script that does not exist", client((one) => (one.buildCommand = "scripts/no-such-script")), "is not executable"],
  ["a filter without the API's crate", api(({ buildFilter }) => buildFilter.paths.splice(buildFilter.paths.indexOf("crates/api/**"), 1)), "leaves out crates/api,"],
  ["a filter that ignores a crate", api(({ buildFilter }) => (buildFilter.ignoredPaths = ["crates/**"])), "leaves out crates/api,"],
  ["a job's filter without the types", job(({ buildFilter }) => (buildFilter.paths = ["crates/api/**", "crates/*types"])), "leaves out crates/auth-types,"],
  ["a client's filter without the types", client(({ buildFilter }) => (buildFilter.paths = ["crates/client/**", "crates/*"])), "leaves out crates/auth-types,"],
  ["a health check without a slash", api((one) => (one.healthCheckPath = "readyz")), ".healthCheckPath must be a path"],
  ["a shutdown that takes too long", api((one) => (one.maxShutdownDelaySeconds = 301)), "from 1 to 300"],
  ["a schedule for a web service", api((one) => (one.schedule = "0 * * * *")), ".schedule is not a field"],
  ["a pre-deploy command on the free plan", api((one) => (one.plan = "free")), "runs no preDeployCommand"],
  [
    "a disk on a service with two instances",
    api((one) => Object.assign(one, { numInstances: 2, disk: { name: "d", mountPath: "/d" } })),
    "cannot be scaled",
  ],
  ["scaling without a target", api((one) => (one.scaling = { minInstances: 1, maxInstances: 2 })), "needs a target"],
  ["a job without a schedule", job((one) => delete one.schedule), ".schedule is missing"],
  ["a job at minute 60", job((one) => (one.schedule = "60 3 * * *")), "cron expression"],
  ["a job on the free plan", job((one) => (one.plan = "free")), ".plan must be one of"],
  ["a job with a health check", job((one) => (one.healthCheckPath = "/readyz")), ".healthCheckPath is not a field"],
  ["a static site without files", client((one) => delete one.staticPublishPath), ".staticPublishPath is missing"],
  ["a static site that starts", client((one) => (one.startCommand = "sirv dist")), ".startCommand is not a field"],
  ["a missing header", client((one) => one.headers.pop()), "headers: are not those"],
  ["a header that differs", client((one) => (one.headers[0].value += "; report-uri /x")), "headers: are not those"],
  ["no rewrite", client((one) => (one.routes = [])), "must rewrite /* to /index.html"],
  ["a redirect instead of the rewrite", client((one) => (one.routes[0].type = "redirect")), "must rewrite /* to /index.html"],
  ["a store open to the internet", limits((one) => (one.ipAllowList = [{ source: "0.0.0.0/0" }])), "must be []"],
  ["a store without a list", limits((one) => delete one.ipAllowList), ".ipAllowList is missing"],
  ["an unknown eviction policy", limits((one) => (one.maxmemoryPolicy = "never")), ".maxmemoryPolicy must be one of"],
  ["a database open to the internet", database((one) => delete one.ipAllowList), "must be []"],
  ["a database with an old plan", database((one) => (one.plan = "starter")), ".plan must be one of"],
  ["a database of an odd size", database((one) => (one.diskSizeGB = 7)), "a multiple of 5"],
  ["a version that is a number", database((one) => (one.postgresMajorVersion = 17)), "quoted"],
  ["a database in another region", database((one) => (one.region = "ohio")), "where the others are"],
  ["a service twice", (blueprint) => blueprint.services.push(blueprint.services[0]), "is defined twice"],
  ["a group that does not exist", added({ fromGroup: "settings" }), "there is no group settings"],
  ["a variable twice", added({ key: "EMAIL_URL", sync: false }), "is set twice"],
  ["a variable without a source", added({ key: "PORT" }), "must have exactly one of"],
  ["a variable of two sources", variable("METRICS_TOKEN", (entry) => (entry.sync = false)), "must have exactly one of"],
  ["a variable that no program reads", added({ key: "SECRET_KEYS", sync: false }), "does not list it"],
  ["a number for a value", added({ key: "PORT", value: 8000 }), "must be text"],
  ["a number of proxies", added({ key: "TRUSTED_PROXY_HOPS", value: "1" }), "knows the proxies of Render"],
  ["proxies of other networks", added({ key: "TRUSTED_PROXIES", value: "private" }), "knows the proxies of Render"],
  ["a secret in the file", variable("METRICS_TOKEN", (entry) => ((entry.value = "x"), delete entry.generateValue)), "is secret"],
  [
    "a preview value for a variable that a person enters",
    variable("EMAIL_URL", (entry) => (entry.previewValue = "console:")),
    "has no previewValue",
  ],
  [
    "a database that does not exist",
    variable("DATABASE_URL", (entry) => (entry.fromDatabase.name = "db")),
    "there is no database db",
  ],
  [
    "an unknown property of a database",
    variable("DATABASE_URL", (entry) => (entry.fromDatabase.property = "url")),
    ".property must be one of",
  ],
  [
    "a service that does not exist",
    variable("REDIS_URL", (entry) => (entry.fromService.name = "redis")),
    "there is no keyvalue service redis",
  ],
  [
    "a service of another type",
    variable("REDIS_URL", (entry) => (entry.fromService.type = "pserv")),
    "there is no pserv service",
  ],
  [
    "a property that the service lacks",
    variable("REDIS_URL", (entry) => (entry.fromService.property = "hostport")),
    "has no property hostport",
  ],
  [
    "a variable that the service lacks",
    variable("CORS_ALLOWED_ORIGINS", (entry) => (entry.fromService.envVarKey = "URL")),
    "has no variable URL",
  ],
  [
    "a static site's private host",
    variable("CORS_ALLOWED_ORIGINS", (entry) => (entry.fromService = { type: "web", name: "latchkey", property: "host" })),
    "has no property host",
  ],
  [
    "a variable that a person enters in a group",
    (blueprint) => blueprint.envVarGroups[0].envVars.push({ key: "EMAIL_URL", sync: false }),
    "Render ignores anything else",
  ],
  [
    "a reference in a group",
    (blueprint) =>
      blueprint.envVarGroups[0].envVars.push({
        key: "DATABASE_URL",
        fromDatabase: { name: "latchkey-db", property: "connectionString" },
      }),
    "Render ignores anything else",
  ],
  [
    "a job's variable that the API's shell lacks",
    api((one) => (one.envVars = one.envVars.filter(({ key }) => key !== "BACKUP_AGE_RECIPIENT"))),
    "is entered for latchkey-backup",
  ],
  ["another compiler", (blueprint) => (blueprint.envVarGroups[1].envVars[0].value = "1.70"), "rust-toolchain.toml"],
];

module.exports = { BROKEN };
