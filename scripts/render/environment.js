// A service's environment as Render makes it of render.yaml.
"use strict";
const { createHmac } = require("node:crypto");

/**
 * Pairs of name and value. `answers` has `seed`, of which generated values are made, always the same ones;
 * `databases.NAME` and `services.NAME`, what references are answered with; and `asked.NAME`, what a person would have
 * entered for a service: what is not there is left out.
 */
function environment(service, blueprint, answers) {
  const group = (name) => blueprint.envVarGroups.find((one) => one.name === name);
  const given = service.envVars.flatMap((entry) =>
    entry.fromGroup
      ? group(entry.fromGroup).envVars.flatMap((one) => resolved(one, entry.fromGroup, answers))
      : resolved(entry, service.name, answers),
  );
  return [...rendersOwn(service, answers), ...given];
}

/** What Render adds by itself. */
function rendersOwn({ type, name }, { services }) {
  if (type !== "web") return [["RENDER", "true"]];
  const address = answered(services, name, "RENDER_EXTERNAL_URL");
  return [
    ["RENDER", "true"],
    ["RENDER_EXTERNAL_URL", address],
    ["RENDER_EXTERNAL_HOSTNAME", new URL(address).hostname],
  ];
}

/** One variable, or none. `owner` is the service or group that defines it: members of a group share what is generated. */
function resolved({ key, value, generateValue, fromDatabase, fromService }, owner, { seed, databases, services, asked }) {
  if (generateValue) return [[key, createHmac("sha256", seed).update(`${owner}/${key}`).digest("base64")]];
  if (fromDatabase) return [[key, answered(databases, fromDatabase.name, fromDatabase.property)]];
  if (fromService) return [[key, answered(services, fromService.name, fromService.property ?? fromService.envVarKey)]];
  const found = value ?? asked?.[owner]?.[key];
  return found === undefined ? [] : [[key, found]];
}

function answered(all, name, what) {
  const found = all?.[name]?.[what];
  if (found === undefined) throw new Error(`nothing answers for ${what} of ${name}`);
  return found;
}

module.exports = { environment };
