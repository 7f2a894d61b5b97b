// The attackers' process: `scripts/flood` starts it, sends it the attack to run, and measures in a separate process. It has the lowest
// priority, so that the API and the honest client get the processors as if the attackers were other machines.
"use strict";
const { setMaxListeners } = require("node:events");
const { ATTACKS } = require("./attacks.js");

const controller = new AbortController();
setMaxListeners(0, controller.signal);

async function attack({ name, api, people }) {
  const counts = {};
  const seen = (status) => (counts[status] = (counts[status] ?? 0) + 1);
  const { prepare } = ATTACKS.find((attack) => attack.name === name);
  const run = await prepare({ api, people, seen, over: controller.signal });
  process.send({ ready: true });
  await run();
  process.send({ counts });
}

process.on("message", (message) => {
  if (message.over) return controller.abort();
  attack(message).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
// `scripts/flood` has ended.
process.on("disconnect", () => process.exit(0));
