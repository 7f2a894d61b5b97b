// Uses the API as another device or another person does: over HTTP, without a browser.
import { execFileSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { join } from "node:path";
import { STAGES } from "./addresses.js";
import { PROGRAM, optionsOf } from "./program.js";

export const PASSWORD = "violet-harbour-41-lanterns";

const newAddress = () => `ada-${randomBytes(6).toString("hex")}@example.com`;

export const claims = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());

async function bodyOf(expected, pending) {
  const { status, body } = await pending;
  if (status !== expected) throw new Error(`expected ${expected}, got ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** The API of a stage, on a port of this machine. */
export class Api {
  constructor(stage) {
    this.stage = stage;
    this.port = STAGES[stage].port;
  }

  async #send(method, path, { body, bearer, headers = {} } = {}) {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: {
        ...(body && { "content-type": "application/json" }),
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null };
  }

  /** Creates a person with a new address. */
  async register() {
    const email = newAddress();
    // Each person gets their own network, where the API trusts proxies, because all requests come from this machine.
    const headers = { "x-forwarded-for": `198.18.${randomInt(256)}.${randomInt(256)}` };
    const sent = this.#send("POST", "/api/auth/register/", { body: { email, password: PASSWORD }, headers });
    const { access } = await bodyOf(201, sent);
    // Ends the session of the sign-up, so that a test counts only the sessions that it creates.
    await this.endSession(access, claims(access).sid);
    return { email, password: PASSWORD };
  }

  /** Creates an administrator, as an operator does. */
  createAdministrator() {
    const email = newAddress();
    const account = ["create-user", "--admin", "--email", email, "--password-stdin"];
    execFileSync(PROGRAM, account, { ...optionsOf(this.stage), input: PASSWORD, stdio: ["pipe", "ignore", "inherit"] });
    return { email, password: PASSWORD };
  }

  /** Makes the database refuse to revoke a session, so that the API responds with 503 to its sign-out and to nothing else. */
  refuseRevocationOf(sid) {
    const refusal = `SELECT RAISE(ABORT, 'for a test') WHERE NEW.revoked_at IS NOT NULL`;
    this.#execute(`CREATE TRIGGER "${sid}" BEFORE UPDATE ON sessions WHEN NEW.id = '${sid}' BEGIN ${refusal}; END`);
  }

  /** Ends that. */
  permitRevocationOf(sid) {
    this.#execute(`DROP TRIGGER "${sid}"`);
  }

  #execute(sql) {
    const database = join(optionsOf(this.stage).cwd, "data/latchkey.sqlite3");
    execFileSync("sqlite3", ["-cmd", ".timeout 10000", database, sql]);
  }

  /** Signs up where the address must be confirmed first, and returns the registration that the browser keeps. */
  async signUp(request) {
    const sent = this.#send("POST", "/api/auth/register/", { body: { password: PASSWORD, ...request } });
    return (await bodyOf(202, sent)).registration;
  }

  /** Confirms a link, and returns status and body. */
  confirm(request) {
    return this.#send("POST", "/api/auth/email/verify/", { body: request });
  }

  /** Signs in on another device; its session shows `userAgent`. */
  login({ email, password }, userAgent = "another device") {
    const request = { body: { email, password }, headers: { "user-agent": userAgent } };
    return bodyOf(200, this.#send("POST", "/api/auth/login/", request));
  }

  /** Refreshes, and returns status and body. */
  refresh(token) {
    return this.#send("POST", "/api/auth/refresh/", { body: { refresh: token } });
  }

  /** Signs out, and returns status and body. */
  logout(token) {
    return this.#send("POST", "/api/auth/logout/", { body: { refresh: token } });
  }

  /** Every live session of the caller. */
  sessions(access) {
    return bodyOf(200, this.#send("GET", "/api/auth/sessions/", { bearer: access }));
  }

  /** Whether a session of this person is live, however old its tokens are. */
  async isLive(person, sid) {
    const { access } = await this.login(person);
    const all = await this.#send("GET", "/api/auth/sessions/", { bearer: access });
    const end = await this.#send("DELETE", `/api/auth/sessions/${claims(access).sid}/`, { bearer: access });
    // Signing out everywhere on another device meanwhile also ends the session of this check.
    if ([all, end].some(({ body }) => body?.reason === "session_revoked")) return this.isLive(person, sid);
    await bodyOf(204, end);
    return (await bodyOf(200, all)).some(({ id }) => id === sid);
  }

  /** Ends one session of the caller. */
  endSession(access, id) {
    return bodyOf(204, this.#send("DELETE", `/api/auth/sessions/${id}/`, { bearer: access }));
  }

  /** The status of a request with this access token. */
  async meStatus(access) {
    return (await this.#send("GET", "/api/auth/me/", { bearer: access })).status;
  }

  /** Changes the caller's profile. */
  change(access, body) {
    return bodyOf(200, this.#send("PATCH", "/api/auth/me/", { bearer: access, body }));
  }

  /** Changes the profile from another device, which signs in first because access tokens are short-lived here. */
  async changeElsewhere(person, body) {
    return this.change((await this.login(person)).access, body);
  }

  /** Gives the caller another display name. */
  rename(access, displayName) {
    return this.change(access, { display_name: displayName });
  }

  /** The person's account as the API returns it to another device. */
  async userOf(person) {
    const { access } = await this.login(person);
    return bodyOf(200, this.#send("GET", "/api/auth/me/", { bearer: access }));
  }
}
