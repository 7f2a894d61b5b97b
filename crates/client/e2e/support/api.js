// The API as another device, or another person, uses it: by HTTP, without a browser.
import { randomBytes } from "node:crypto";
import { API } from "./addresses.js";

export const PASSWORD = "violet-harbour-41-lanterns";

async function send(method, path, { body, bearer, headers = {} } = {}) {
  const answer = await fetch(API + path, {
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

async function expected(status, answer) {
  const got = await answer;
  if (got.status !== status) throw new Error(`expected ${status}, got ${got.status}: ${JSON.stringify(got.body)}`);
  return got.body;
}

/** A new person with an address of their own. */
export async function register() {
  const email = `ada-${randomBytes(6).toString("hex")}@example.com`;
  const tokens = await expected(201, send("POST", "/api/auth/register/", { body: { email, password: PASSWORD } }));
  // The session of the sign-up itself is ended, so that a test counts only the sessions that it makes.
  await expected(200, send("POST", "/api/auth/logout/", { body: { refresh: tokens.refresh } }));
  return { email, password: PASSWORD };
}

/** Signs in on a further device; `userAgent` is what its session shows. */
export function login({ email, password }, userAgent = "another device") {
  const request = { body: { email, password }, headers: { "user-agent": userAgent } };
  return expected(200, send("POST", "/api/auth/login/", request));
}

/** Status and body of a refresh. */
export function refresh(token) {
  return send("POST", "/api/auth/refresh/", { body: { refresh: token } });
}

/** Every live session of the caller. */
export function sessions(access) {
  return expected(200, send("GET", "/api/auth/sessions/", { bearer: access }));
}

/** Ends one session of the caller. */
export function endSession(access, id) {
  return expected(204, send("DELETE", `/api/auth/sessions/${id}/`, { bearer: access }));
}

/** Status of a request with this access token. */
export async function meStatus(access) {
  return (await send("GET", "/api/auth/me/", { bearer: access })).status;
}
