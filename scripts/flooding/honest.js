// People who show their account, refresh and sign in, each within the budgets: what they notice.
"use strict";
const http = require("node:http");
const { performance } = require("node:perf_hooks");
const { setTimeout: sleep } = require("node:timers/promises");
const { HONEST, PASSWORD, ask, signUp } = require("./wire.js");

/// Each session refreshes less often than its budget allows.
const PEOPLE = Array.from({ length: 20 }, (_, number) => `ada${number}@example.com`);
/// What they do, and the pause after each, milliseconds.
const KINDS = { me: 25, refresh: 60, "sign-in": 700 };

async function settle(api) {
  const people = [];
  for (const email of PEOPLE) people.push(await signUp(api, email, HONEST));
  return people;
}

/** The requests of each kind. */
function acts(api, agent, end) {
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
  };
}

/** Lives for so long, and returns the times of what succeeded by kind, and what failed. */
async function live(api, people, ms) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const end = performance.now() + ms;
  const act = acts(api, agent, end);
  const times = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, []]));
  const failures = {};
  await Promise.all(Object.entries(KINDS).map(async ([kind, pause]) => {
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

module.exports = { KINDS, live, p99, settle };
