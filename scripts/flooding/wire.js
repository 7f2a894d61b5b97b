// Sends requests to the API that is flooded, one at a time or from many clients at once.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const { performance } = require("node:perf_hooks");
const { setTimeout: sleep } = require("node:timers/promises");

const PASSWORD = "violet harbor lantern 42";
/// Public addresses as a proxy would report them, from the ranges for documentation (RFC 5737).
const HONEST = "198.51.100.7";
/// The address of an owner who has not signed up today.
const OWNER = "198.51.100.8";
const MACHINE = "203.0.113.9";
/// Without a proxy, addresses of the loopback network stand for them.
const LOOPBACK = { [HONEST]: "127.0.0.3", [MACHINE]: "127.0.0.2" };

/** A request's origin: with a proxy it is in a header, without one it is the address of the connection. */
function origin(api, from) {
  return api.hops > 0 ? { headers: { "x-forwarded-for": from }, localAddress: "127.0.0.1" } : { headers: {}, localAddress: LOOPBACK[from] ?? from };
}

/** Sends a request and returns `{status, text, ms}`; status 0 means no response. */
function send(api, agent, method, url, { body, bearer, from = MACHINE, key, type } = {}) {
  const begin = performance.now();
  const { headers, localAddress } = origin(api, from);
  const data = Buffer.isBuffer(body) ? body : body && JSON.stringify(body);
  if (data) Object.assign(headers, { "content-type": type ?? "application/json", "content-length": Buffer.byteLength(data) });
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  if (key) headers["idempotency-key"] = key;
  return new Promise((resolve) => {
    const noResponse = () => resolve({ status: 0, text: "", ms: performance.now() - begin });
    const request = http.request({ host: "127.0.0.1", port: api.port, agent, method, path: url, headers, localAddress, timeout: 30_000 }, (response) => {
      let text = "";
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, text, ms: performance.now() - begin }));
      response.on("error", noResponse);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", noResponse);
    request.end(data);
  });
}

/** Creates an account, and returns it with its tokens. */
async function signUp(api, email, from = MACHINE) {
  for (;;) {
    const response = await send(api, undefined, "POST", "/api/auth/register/", { body: { email, password: PASSWORD }, from });
    if (response.status === 201) return { email, ...JSON.parse(response.text) };
    if (response.status !== 503 && response.status !== 0) throw new Error(`no account was created: ${response.status} ${response.text}`);
    await sleep(100);
  }
}

/** Runs `size` workers concurrently until the attack is over. */
function runWorkers(size, over, worker) {
  return Promise.all(Array.from({ length: size }, async (_, number) => {
    for (let turn = 0; !over.aborted; turn += 1) {
      await worker(number, turn);
      await sleep(1);
    }
  }));
}

/** Opens `size` connections and sends one request after another on each; `requests` creates the next one. */
async function requesters({ api, over, seen }, size, requests) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: size });
  await runWorkers(size, over, async (number, turn) => {
    const { method = "POST", url, ...rest } = requests(number, turn);
    seen((await send(api, agent, method, url, rest)).status);
  });
  agent.destroy();
}

/** Opens `size` connections that send a head and then a byte every `pause` ms. `head` creates its lines, without the Host. */
function tricklers({ api, over, seen }, size, pause, from, head) {
  return runWorkers(size, over, (number) => new Promise((resolve) => {
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

/** The mails to an address, newest last. */
function mailsTo(api, email) {
  const files = fs.readdirSync(api.mails).filter((name) => name.endsWith(".eml")).map((name) => `${api.mails}/${name}`);
  const mails = files.map((file) => ({ at: fs.statSync(file).mtimeMs, text: fs.readFileSync(file, "utf8") }));
  return mails.filter(({ text }) => text.includes(`To: ${email}`)).sort((a, b) => a.at - b.at).map(({ text }) => text);
}

module.exports = { HONEST, MACHINE, OWNER, PASSWORD, mailsTo, origin, requesters, send, signUp, tricklers };
