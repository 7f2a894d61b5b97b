// Honest people who show their account, refresh and sign in within their budgets; their response times are measured.
"use strict";
const http = require("node:http");
const { performance } = require("node:perf_hooks");
const { setTimeout: sleep } = require("node:timers/promises");
const { HONEST, PASSWORD, send, signUp } = require("./wire.js");

/// Enough people that each session refreshes less often than its budget allows.
const PEOPLE = Array.from({ length: 20 }, (_, number) => `ada${number}@example.com`);
/// The kinds of requests, each with the pause after it in milliseconds.
const KINDS = { me: 25, refresh: 60, "sign-in": 700 };

async function createPeople(api) {
  const people = [];
  for (const email of PEOPLE) people.push(await signUp(api, email, HONEST));
  return people;
}

/** The requests of each kind. */
function requestsByKind(api, agent, end) {
  const from = HONEST;
  return {
    me: (person) => send(api, agent, "GET", "/api/auth/me/", { bearer: person.access, from }),
    refresh: async (person, turn) => {
      const key = `${person.email} ${turn} ${end}`;
      const response = await send(api, agent, "POST", "/api/auth/refresh/", { body: { refresh: person.refresh }, key, from });
      if (response.status === 200) Object.assign(person, JSON.parse(response.text));
      return response;
    },
    "sign-in": (person) => send(api, agent, "POST", "/api/auth/login/", { body: { email: person.email, password: PASSWORD }, from }),
  };
}

/** Sends requests for `ms` milliseconds. Returns the times of the successful ones by kind, and the number of failures. */
async function sendRequests(api, people, ms) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const end = performance.now() + ms;
  const requests = requestsByKind(api, agent, end);
  const times = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, []]));
  const failures = {};
  await Promise.all(Object.entries(KINDS).map(async ([kind, pause]) => {
    for (let turn = 0; performance.now() < end; turn += 1) {
      const response = await requests[kind](people[turn % people.length], turn);
      if (response.status === 200) times[kind].push(response.ms);
      else failures[`${kind} ${response.status}`] = (failures[`${kind} ${response.status}`] ?? 0) + 1;
      await sleep(pause);
    }
  }));
  agent.destroy();
  return { times, failures };
}

/** The 99th percentile; of fewer than 100 times, the longest. */
function p99(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? NaN;
}

module.exports = { KINDS, createPeople, p99, sendRequests };
