// Requests to the API that is flooded, and crowds of them.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const { performance } = require("node:perf_hooks");
const { setTimeout: sleep } = require("node:timers/promises");

const PASSWORD = "violet harbor lantern 42";
/// Public addresses, as a proxy would report them (RFC 5737 names these for documents).
const HONEST = "198.51.100.7";
/// Where an owner asks from who has not signed up today.
const OWNER = "198.51.100.8";
const MACHINE = "203.0.113.9";
/// Without a proxy: addresses of the loopback network.
const LOOPBACK = { [HONEST]: "127.0.0.3", [MACHINE]: "127.0.0.2" };

/** Where a request comes from: with a proxy a header says so, without one it is the address itself. */
function origin(api, from) {
  return api.hops > 0 ? { headers: { "x-forwarded-for": from }, localAddress: "127.0.0.1" } : { headers: {}, localAddress: LOOPBACK[from] ?? from };
}

/** Sends a request and returns `{status, text, ms}`; status 0 stands for no response. */
function ask(api, agent, method, url, { body, bearer, from = MACHINE, key, type } = {}) {
  const begin = performance.now();
  const { headers, localAddress } = origin(api, from);
  const data = Buffer.isBuffer(body) ? body : body && JSON.stringify(body);
  if (data) Object.assign(headers, { "content-type": type ?? "application/json", "content-length": Buffer.byteLength(data) });
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  if (key) headers["idempotency-key"] = key;
  return new Promise((resolve) => {
    const lost = () => resolve({ status: 0, text: "", ms: performance.now() - begin });
    const request = http.request({ host: "127.0.0.1", port: api.port, agent, method, path: url, headers, localAddress, timeout: 30_000 }, (response) => {
      let text = "";
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, text, ms: performance.now() - begin }));
      response.on("error", lost);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", lost);
    request.end(data);
  });
}

/** An account with its tokens. */
async function signUp(api, email, from = MACHINE) {
  for (;;) {
    const answer = await ask(api, undefined, "POST", "/api/auth/register/", { body: { email, password: PASSWORD }, from });
    if (answer.status === 201) return { email, ...JSON.parse(answer.text) };
    if (answer.status !== 503 && answer.status !== 0) throw new Error(`no account: ${answer.status} ${answer.text}`);
    await sleep(100);
  }
}

/** Runs `worker` so many times at once until the attack is over. */
function crowd(size, over, worker) {
  return Promise.all(Array.from({ length: size }, async (_, number) => {
    for (let turn = 0; !over.aborted; turn += 1) {
      await worker(number, turn);
      await sleep(1);
    }
  }));
}

/** So many connections, with a request after the other on each; `requests` makes the next one. */
async function requesters({ api, over, seen }, size, requests) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: size });
  await crowd(size, over, async (number, turn) => {
    const { method = "POST", url, ...rest } = requests(number, turn);
    seen((await ask(api, agent, method, url, rest)).status);
  });
  agent.destroy();
}

/** So many connections that send a head and then a byte now and then. `head` makes the lines of one, without its Host. */
function tricklers({ api, over, seen }, size, pause, from, head) {
  return crowd(size, over, (number) => new Promise((resolve) => {
    const { headers, localAddress } = origin(api, from());
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const socket = net.connect({ port: api.port, host: "127.0.0.1", localAddress }, () => socket.write(`${head(number)}Host: api\r\n${more}\r\n`));
    const drip = setInterval(() => socket.readyState === "open" && socket.write("x"), pause);
    const end = () => socket.destroy();
    over.addEventListener("abort", end);
    socket.on("data", (text) => seen(Number(String(text).slice(9, 12))));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(drip);
      over.removeEventListener("abort", end);
      setTimeout(resolve, 10);
    });
  }));
}

/** The mails to an address, the newest last. */
function mailsTo(api, email) {
  const files = fs.readdirSync(api.mails).filter((name) => name.endsWith(".eml")).map((name) => `${api.mails}/${name}`);
  const mails = files.map((file) => ({ at: fs.statSync(file).mtimeMs, text: fs.readFileSync(file, "utf8") }));
  return mails.filter(({ text }) => text.includes(`To: ${email}`)).sort((a, b) => a.at - b.at).map(({ text }) => text);
}

module.exports = { HONEST, MACHINE, OWNER, PASSWORD, ask, mailsTo, origin, requesters, signUp, tricklers };
