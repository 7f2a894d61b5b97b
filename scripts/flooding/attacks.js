// The attacks: the requests that each sends, and the conditions that it must not break besides those of the honest client.
//
// `prepare` sets an attack up (accounts, events) and returns a function that runs until the attack is over. `verify` checks a
// condition while the attack still runs, and returns `{text, failed}`.
"use strict";
const { setTimeout: sleep } = require("node:timers/promises");
const { deflateSync } = require("node:zlib");
const { addEvents } = require("./database.js");
const { MACHINE, OWNER, PASSWORD, mailsTo, requesters, send, signUp, tricklers } = require("./wire.js");

const ADDRESSES = 10_000;
const EVENTS = 300_000;
/// The most mails that an address gets within an hour (docs/reference/limits.md).
const MAX_MAILS_PER_ADDRESS = 20;
/// A password whose strength takes a second to estimate if it is estimated as a whole.
const HARD = "[626(719(3871<9<++&4{4+05&|($9&!<!4!!&<[4|196&&269$1@1<@0|8(<1$7![9$48&%%[6@$53(8|+@%({+$!||181&8<|+";

let counter = 0;
const next = () => (counter = (counter + 1) % ADDRESSES);
/** The address of one machine; of one of ten thousand behind a proxy; of one of ten thousand that connect directly. */
const machine = () => MACHINE;
const many = () => `${20 + (next() % 100)}.${counter >> 8}.${counter & 255}.9`;
const direct = () => `127.${1 + (next() >> 8)}.${counter & 255}.9`;

/** Creates accounts for the attackers. */
async function accounts(api, count) {
  const created = [];
  for (let number = 0; number < count; number += 1) created.push(await signUp(api, `eve${number}@example.com`));
  return created;
}

async function accountsWithEvents(api) {
  const eves = await accounts(api, 4);
  addEvents(api, eves.map(({ email }) => email), EVENTS);
  return eves;
}

/** A picture of few bytes and sixteen million pixels. */
function widePicture() {
  const side = 4_000;
  const chunk = (name, data) => {
    const named = Buffer.concat([Buffer.from(name), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(named));
    return Buffer.concat([length, named, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 6], 8); // eight bits, with transparency
  const pixels = deflateSync(Buffer.alloc(side * (1 + 4 * side)));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

const signUps = (from) => async (attack) => () =>
  requesters(attack, 40, (number, turn) => ({ url: "/api/auth/register/", body: { email: `m${number}-${turn}@example.com`, password: HARD }, from: from() }));

const signIns = async (attack) => {
  const eves = await accounts(attack.api, 4);
  return () => requesters(attack, 40, (number) => ({ url: "/api/auth/login/", body: { email: eves[number % 4].email, password: PASSWORD } }));
};

const guesses = async (attack) => () =>
  requesters(attack, 200, (number, turn) => ({ url: "/api/auth/login/", body: { email: `n${number}-${turn}@example.com`, password: PASSWORD }, from: many() }));

/** All requests that an attacker can send with another user's address. */
const spending = (from) => async (attack) => {
  const email = attack.people[0].email;
  const requests = [
    { url: "/api/auth/email/resend/", body: { email } },
    { url: "/api/auth/password/reset/", body: { email } },
    { url: "/api/auth/register/", body: { email, password: PASSWORD } },
    { url: "/api/auth/login/", body: { email, password: "not the password 17" } },
  ];
  return () => requesters(attack, 40, (number) => ({ ...requests[number % requests.length], from: from() }));
};

/** Requests to routes that use the database and need no password. */
const routes = (from) => async (attack) => {
  const [eve, mallory] = await accounts(attack.api, 2);
  await send(attack.api, undefined, "POST", "/api/auth/logout/", { body: { refresh: eve.refresh } });
  const requests = [
    { url: "/api/auth/email/verify/", body: { token: "garbage" } },
    { url: "/api/auth/password/reset/confirm/", body: { token: "garbage", new_password: PASSWORD } },
    { method: "GET", url: "/readyz" },
    { method: "PATCH", url: "/api/auth/me/", body: { display_name: "Eve" }, bearer: mallory.access },
    { url: "/api/auth/logout/", body: { refresh: eve.refresh } },
  ];
  return () => requesters(attack, 800, (number) => ({ ...requests[number % requests.length], from: from() }));
};

const slowUploads = async (attack) => {
  const [eve] = await accounts(attack.api, 1);
  const head = `PUT /api/auth/me/avatar/ HTTP/1.1\r\nContent-Type: image/png\r\nAuthorization: Bearer ${eve.access}\r\nContent-Length: 2000000\r\n`;
  return () => tricklers(attack, 17, 200, machine, () => head);
};

const pictures = async (attack) => {
  const [eves, body] = [await accounts(attack.api, 4), widePicture()];
  return () => requesters(attack, 17, (number) => ({ method: "PUT", url: "/api/auth/me/avatar/", bearer: eves[number % 4].access, body, type: "image/png" }));
};

const trickles = (from) => async (attack) => () =>
  tricklers(attack, 7_000, 500, from, () => "POST /api/auth/login/ HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n");

const mailsToNobody = async (attack) => () =>
  requesters(attack, 40, (number, turn) => ({ url: "/api/auth/password/reset/", body: { email: `n${number}-${turn}@example.com` }, from: many() }));

/** An attacker who signed up with the victim's address causes notices to it. */
const notices = async (attack) => {
  const eve = { ...(await signUp(attack.api, "victim@example.com")), password: PASSWORD };
  const change = async (turn) => {
    const [current_password, new_password] = [eve.password, `${PASSWORD} ${turn}`];
    const response = await send(attack.api, undefined, "POST", "/api/auth/password/change/", { body: { current_password, new_password }, bearer: eve.access });
    if (response.status === 200) Object.assign(eve, JSON.parse(response.text), { password: new_password });
    attack.seen(response.status);
  };
  const changes = async () => {
    for (let turn = 0; !attack.over.aborted; turn += 1) await change(turn);
  };
  const changeEmail = (number, turn) => ({ url: "/api/auth/email/change/", bearer: eve.access, body: { new_email: `v${turn}@example.com`, password: eve.password } });
  return () => Promise.all([changes(), requesters(attack, 20, changeEmail)]);
};

const exporting = async (attack) => {
  const eves = await accountsWithEvents(attack.api);
  const bearer = (number) => eves[number % 4].access;
  return () => Promise.all([
    requesters(attack, 40, (number, turn) => ({ method: "PATCH", url: "/api/auth/me/", bearer: bearer(number), body: { display_name: `Eve ${turn % 2}` } })),
    requesters(attack, 20, (number) => ({ method: "GET", url: "/api/auth/me/export/", bearer: bearer(number) })),
  ]);
};

const deletions = async (attack) => {
  const eves = await accountsWithEvents(attack.api);
  return () => requesters(attack, 20, (number) => ({ method: "DELETE", url: "/api/auth/me/", bearer: eves[number % 4].access, body: { password: PASSWORD } }));
};

/** Checks that the owner of an address gets a working link, and measures after how long. */
async function ownersReset({ api, people }) {
  const begin = performance.now();
  const { email } = people[0];
  const links = () => mailsTo(api, email).map((mail) => /reset-password#token=([\w-]+)/.exec(mail)?.[1]).filter(Boolean);
  const request = await send(api, undefined, "POST", "/api/auth/password/reset/", { body: { email }, from: OWNER });
  while (links().length === 0 && performance.now() - begin < 30_000) await sleep(100);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const token = links().at(-1);
  if (!token) return { text: `the owner's reset: ${request.status}, NO MAIL`, failed: true };
  const confirmation = await send(api, undefined, "POST", "/api/auth/password/reset/confirm/", { body: { token, new_password: `${PASSWORD} again` }, from: OWNER });
  return { text: `the owner's reset: ${request.status}, mailed after ${seconds} s, its link: ${confirmation.status}`, failed: request.status !== 202 || confirmation.status !== 200 };
}

async function mailsOfVictim({ api }) {
  const mails = mailsTo(api, "victim@example.com").length;
  return { text: `${mails} mails to the victim`, failed: mails > MAX_MAILS_PER_ADDRESS };
}

/// `hops` is the number of proxies in front of the API.
const ATTACKS = [
  { name: "passwords whose strength is costly", hops: 1, prepare: signUps(machine) },
  { name: "the same, 10,000 addresses", hops: 1, prepare: signUps(many) },
  { name: "a victim's name spent", hops: 1, prepare: spending(machine), verify: ownersReset },
  { name: "a victim's name, 10,000 addresses", hops: 1, prepare: spending(many), verify: ownersReset },
  { name: "sign-ins, right passwords", hops: 1, prepare: signIns },
  { name: "sign-ins, 10,000 addresses", hops: 1, prepare: guesses },
  { name: "800 connections", hops: 1, prepare: routes(machine) },
  { name: "800, 10,000 addresses", hops: 1, prepare: routes(many) },
  { name: "slow uploads", hops: 1, prepare: slowUploads },
  { name: "pictures of many pixels", hops: 1, prepare: pictures },
  { name: "trickling bodies", hops: 0, prepare: trickles(machine) },
  { name: "trickling, 10,000 addresses", hops: 0, prepare: trickles(direct) },
  { name: "trickling behind a proxy", hops: 1, prepare: trickles(many) },
  { name: "mails to nobody, 10,000 addresses", hops: 1, prepare: mailsToNobody, verify: ownersReset },
  { name: "notices to a victim", hops: 1, prepare: notices, verify: mailsOfVictim },
  { name: "events by PATCH, twenty exports", hops: 1, prepare: exporting },
  { name: "deletions of 300,000 events", hops: 1, prepare: deletions },
];

module.exports = { ATTACKS, EVENTS, HARD };
