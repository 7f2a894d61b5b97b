// A service's environment as Render derives it from render.yaml.
"use strict";
const { createHmac } = require("node:crypto");

/**
 * Pairs of name and value. `values` has `seed`, from which generated values are derived, always the same ones;
 * `databases.NAME` and `services.NAME`, the values of references; and `entered.NAME`, the values that a person would have
 * entered for a service: those that are missing are left out.
 */
function environment(service, blueprint, values) {
  const group = (name) => blueprint.envVarGroups.find((one) => one.name === name);
  const given = service.envVars.flatMap((entry) =>
    entry.fromGroup
      ? group(entry.fromGroup).envVars.flatMap((one) => resolved(one, entry.fromGroup, values))
      : resolved(entry, service.name, values),
  );
  return [...rendersOwn(service, values), ...given];
}

/** The variables that Render adds. */
function rendersOwn({ type, name }, { services }) {
  if (type !== "web") return [["RENDER", "true"]];
  const address = lookUp(services, name, "RENDER_EXTERNAL_URL");
  return [
    ["RENDER", "true"],
    ["RENDER_EXTERNAL_URL", address],
    ["RENDER_EXTERNAL_HOSTNAME", new URL(address).hostname],
  ];
}

/** One variable, or none. `owner` is the service or group that defines it: the services of a group share its generated values. */
function resolved({ key, value, generateValue, fromDatabase, fromService }, owner, { seed, databases, services, entered }) {
  if (generateValue) return [[key, createHmac("sha256", seed).update(`${owner}/${key}`).digest("base64")]];
  if (fromDatabase) return [[key, lookUp(databases, fromDatabase.name, fromDatabase.property)]];
  if (fromService) return [[key, lookUp(services, fromService.name, fromService.property ?? fromService.envVarKey)]];
  const found = value ?? entered?.[owner]?.[key];
  return found === undefined ? [] : [[key, found]];
}

function lookUp(all, name, what) {
  const found = all?.[name]?.[what];
  if (found === undefined) throw new Error(`there is no value for ${what} of ${name}`);
  return found;
}

module.exports = { environment };
