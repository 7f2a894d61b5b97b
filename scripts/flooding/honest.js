// People who show their account, refresh and sign in, each within the budgets: what they notice.
"use strict";
const http = require("node:http");
const { performance } = require("node:perf_hooks");
const { setTimeout: sleep } = require("node:timers/promises");
const { HONEST, PASSWORD, ask, signUp } = require("./wire.js");

/// Each session refreshes less often than its budget allows.
const PEOPLE = ["ada", "bob", "cleo", "dan", "eli", "fay", "gus", "hal", "ida", "jim", "kay", "leo"];
/// What they do, and the pause after each, milliseconds.
const KINDS = { me: 40, refresh: 100, "sign-in": 300 };
/// The same of the server that nobody attacks.
const BARE = "bare";
const PAUSES = { ...KINDS, [BARE]: 40 };

async function settle(api) {
  const people = [];
  for (const who of PEOPLE) people.push(await signUp(api, `${who}@example.com`, HONEST));
  return people;
}

/** The requests of each kind. */
function acts(api, bare, agent, end) {
  const from = HONEST;
  return {
    me: (person) => ask(api, agent, "GET", "/api/auth/me/", { bearer: person.access, from }),
    refresh: async (person, turn) => {
      const key = `${person.email} ${turn} ${end}`;
      const answer = await ask(api, agent, "POST", "/api/auth/refresh/", { body: { refresh: person.refresh }, key, from });
      if (answer.status === 200) Object.assign(person, JSON.parse(answer.text));
      return answer;
    },
    "sign-in": (person) => ask(api, agent, "POST", "/api/auth/login/", { body: { email: person.email, password: PASSWORD }, from }),
    [BARE]: () => ask(bare, agent, "GET", "/", { from }),
  };
}

/** Lives for so long, and returns the times of what succeeded by kind, and what failed. */
async function live(api, bare, people, ms) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const end = performance.now() + ms;
  const act = acts(api, bare, agent, end);
  const times = Object.fromEntries(Object.keys(PAUSES).map((kind) => [kind, []]));
  const failures = {};
  await Promise.all(Object.entries(PAUSES).map(async ([kind, pause]) => {
    for (let turn = 0; performance.now() < end; turn += 1) {
      const answer = await act[kind](people[turn % people.length], turn);
      if (answer.status === 200) times[kind].push(answer.ms);
      else failures[`${kind} ${answer.status}`] = (failures[`${kind} ${answer.status}`] ?? 0) + 1;
      await sleep(pause);
    }
  }));
  agent.destroy();
  return { times, failures };
}

/** The time that 99 of 100 do not exceed; the longest of fewer than 100. */
function p99(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? NaN;
}

module.exports = { BARE, KINDS, live, p99, settle };
