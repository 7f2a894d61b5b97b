// The API as another device, or another person, uses it: by HTTP, without a browser.
import { execFileSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { STAGES } from "./addresses.js";
import { PROGRAM, optionsOf } from "./program.js";

export const PASSWORD = "violet-harbour-41-lanterns";

const newAddress = () => `ada-${randomBytes(6).toString("hex")}@example.com`;

export const claims = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());

async function expected(status, answer) {
  const got = await answer;
  if (got.status !== status) throw new Error(`expected ${status}, got ${got.status}: ${JSON.stringify(got.body)}`);
  return got.body;
}

/** The API of a stage, on a port of this machine. */
export class Api {
  constructor(stage) {
    this.stage = stage;
    this.port = STAGES[stage].port;
  }

  async #send(method, path, { body, bearer, headers = {} } = {}) {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: {
        ...(body && { "content-type": "application/json" }),
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  }

  /** A new person with an address of their own. */
  async register() {
    const email = newAddress();
    // Each from a network of its own, as far as the API believes proxies: all come from this machine.
    const headers = { "x-forwarded-for": `198.18.${randomInt(256)}.${randomInt(256)}` };
    const sent = this.#send("POST", "/api/auth/register/", { body: { email, password: PASSWORD }, headers });
    const { access } = await expected(201, sent);
    // The session of the sign-up itself is ended, so that a test counts only the sessions that it makes.
    await this.endSession(access, claims(access).sid);
    return { email, password: PASSWORD };
  }

  /** A new administrator, as an operator makes one. */
  createAdministrator() {
    const email = newAddress();
    const account = ["create-user", "--admin", "--email", email, "--password-stdin"];
    execFileSync(PROGRAM, account, { ...optionsOf(this.stage), input: PASSWORD, stdio: ["pipe", "ignore", "inherit"] });
    return { email, password: PASSWORD };
  }

  /** Signs up where the address must be confirmed first: what the browser keeps. */
  async signUp(request) {
    const sent = this.#send("POST", "/api/auth/register/", { body: { password: PASSWORD, ...request } });
    return (await expected(202, sent)).registration;
  }

  /** Status and body of a link's confirmation. */
  confirm(request) {
    return this.#send("POST", "/api/auth/email/verify/", { body: request });
  }

  /** Signs in on a further device; `userAgent` is what its session shows. */
  login({ email, password }, userAgent = "another device") {
    const request = { body: { email, password }, headers: { "user-agent": userAgent } };
    return expected(200, this.#send("POST", "/api/auth/login/", request));
  }

  /** Status and body of a refresh. */
  refresh(token) {
    return this.#send("POST", "/api/auth/refresh/", { body: { refresh: token } });
  }

  /** Status and body of a sign-out. */
  logout(token) {
    return this.#send("POST", "/api/auth/logout/", { body: { refresh: token } });
  }

  /** Every live session of the caller. */
  sessions(access) {
    return expected(200, this.#send("GET", "/api/auth/sessions/", { bearer: access }));
  }

  /** Whether a session of this person lives, however old its tokens are. */
  async isLive(person, sid) {
    const { access } = await this.login(person);
    const all = await this.#send("GET", "/api/auth/sessions/", { bearer: access });
    const end = await this.#send("DELETE", `/api/auth/sessions/${claims(access).sid}/`, { bearer: access });
    // Signing out everywhere on another device, in the meantime, ends the session that asks here, too.
    if ([all, end].some(({ body }) => body?.reason === "session_revoked")) return this.isLive(person, sid);
    await expected(204, end);
    return (await expected(200, all)).some(({ id }) => id === sid);
  }

  /** Ends one session of the caller. */
  endSession(access, id) {
    return expected(204, this.#send("DELETE", `/api/auth/sessions/${id}/`, { bearer: access }));
  }

  /** Status of a request with this access token. */
  async meStatus(access) {
    return (await this.#send("GET", "/api/auth/me/", { bearer: access })).status;
  }

  /** Changes what the caller may change about themselves. */
  change(access, body) {
    return expected(200, this.#send("PATCH", "/api/auth/me/", { bearer: access, body }));
  }

  /** The same by somebody who signs in for it, as on another device: access tokens are short-lived here. */
  async changeElsewhere(person, body) {
    return this.change((await this.login(person)).access, body);
  }

  /** Gives the caller another display name. */
  rename(access, displayName) {
    return this.change(access, { display_name: displayName });
  }

  /** What the API knows of this person, asked for by another device. */
  async userOf(person) {
    const { access } = await this.login(person);
    return expected(200, this.#send("GET", "/api/auth/me/", { bearer: access }));
  }
}
