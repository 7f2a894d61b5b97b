// Failures that must not sign anyone out: no network, a server that is busy or waking up, an invalid response.
import { API, CLIENT } from "../support/addresses.js";
import { ME, REFRESH, SESSIONS } from "../support/app.js";
import { hold, intercept } from "../support/intercept.js";
import { expect, test } from "../support/test.js";

const cors = { "access-control-allow-origin": CLIENT, "access-control-expose-headers": "Retry-After, X-Request-Id" };
const problem = (status, reason) => ({
  status,
  headers: { ...cors, "content-type": "application/problem+json", ...(status !== 401 && { "retry-after": "1" }) },
  body: JSON.stringify({ type: "about:blank", title: "", status, detail: "", ...reason }),
});

test("offline, the session stays and the page says so; back online, it continues", async ({ app, context, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  const before = await app.tokens();
  await app.accessExpires();
  await context.setOffline(true);
  await app.visit("Sessions");
  await expect(app.notice).toBeVisible();
  expect((await app.tokens()).refresh.jwt).toBe(before.refresh.jwt);

  await context.setOffline(false);
  await expect(app.notice).toBeHidden({ timeout: 30_000 });
  await expect(app.signOutDevice.first()).toBeVisible({ timeout: 30_000 });
  expect((await app.tokens()).refresh.sid).toBe(before.refresh.sid);
});

test("a browser that reports itself offline is believed until the API responds", async ({ app, page, person }) => {
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "onLine", { get: () => false }));
  const held = await hold(page, `${API}/api/auth/config/`, "GET");
  await app.open("/login");
  await held.requested;
  await expect(app.notice).toBeVisible();
  held.release();
  await expect(app.notice).toBeHidden();
  await app.fillSignIn(person);
  await app.expectSignedIn(person);
  await expect(app.notice).toBeHidden();
});

const FAILURES = {
  "503 with Retry-After": { response: problem(503, { code: "error" }), logs: 503 },
  "429 with Retry-After": { response: problem(429, { code: "throttled" }), logs: 429 },
  "a proxy's 502 in HTML": { response: { status: 502, headers: { ...cors, "content-type": "text/html" }, body: "<h1>Bad gateway</h1>" }, logs: 502 },
  "HTML with status 200": { response: { status: 200, headers: { ...cors, "content-type": "text/html" }, body: "<!doctype html><p>Captive portal" } },
  "HTML with status 401": { response: { status: 401, headers: { ...cors, "content-type": "text/html" }, body: "<h1>Unauthorized</h1>" }, logs: 401 },
  "JSON of another shape": { response: { status: 200, headers: { ...cors, "content-type": "application/json" }, body: '{"hello":"world"}' } },
  "a 401 without a known reason": { response: problem(401, { code: "token_not_valid" }), logs: 401 },
  "no connection": { abort: "connectionrefused", logs: "net::ERR_CONNECTION_REFUSED" },
};

for (const [name, { response, abort, logs }] of Object.entries(FAILURES)) {
  test(`a refresh that fails with ${name} keeps the session, says so, and is repeated`, async ({ app, page, person, watch }) => {
    if (logs) watch.expectFailures(logs);
    await app.signIn(person);
    const before = await app.tokens();
    let healthy = false;
    let refused = 0;
    await page.route(REFRESH, (route) => {
      if (healthy) return route.continue();
      refused += 1;
      return abort ? route.abort(abort) : route.fulfill(response);
    });
    await app.accessExpires();
    await app.visit("Sessions");
    await expect(app.notice).toBeVisible();
    expect((await app.tokens()).refresh.jwt).toBe(before.refresh.jwt);
    await expect(app.signInHeading).toBeHidden();
    expect(refused, "attempts in a row without a pause").toBeLessThan(5);

    healthy = true;
    await expect(app.signOutDevice.first()).toBeVisible({ timeout: 40_000 });
    await expect(app.notice).toBeHidden();
    expect((await app.tokens()).refresh.sid).toBe(before.refresh.sid);
  });
}

test("the client waits for Retry-After", async ({ app, page, person, watch }) => {
  watch.expectFailures(503);
  await app.signIn(person);
  const times = [];
  const refused = problem(503, { code: "error" });
  refused.headers["retry-after"] = "3";
  await page.route(REFRESH, (route) => {
    times.push(Date.now());
    return times.length === 1 ? route.fulfill(refused) : route.continue();
  });
  await app.accessExpires();
  await app.visit("Sessions");
  await expect.poll(() => times.length, { timeout: 30_000 }).toBeGreaterThan(1);
  expect(times[1] - times[0]).toBeGreaterThan(2_900);
  await expect(app.signOutDevice.first()).toBeVisible();
});

test("visiting pages before Retry-After has passed sends no further refresh", async ({ app, page, person, watch }) => {
  watch.expectFailures(429);
  await app.signIn(person);
  const refused = problem(429, { code: "throttled" });
  refused.headers["retry-after"] = "60";
  await page.route(REFRESH, (route) => route.fulfill(refused));
  const refreshes = app.record(REFRESH);
  await app.accessExpires();
  for (const name of ["Sessions", "Account", "Sessions", "Account"]) {
    await app.visit(name);
    await expect(app.notice).toBeVisible();
  }
  expect(refreshes).toHaveLength(1);
});

for (const status of [503, 429]) {
  test(`any other request that fails with ${status} keeps the session and says so`, async ({ app, page, person, watch }) => {
    watch.expectFailures(status);
    await app.signIn(person);
    const before = await app.tokens();
    let healthy = false;
    await page.route(SESSIONS, (route) => (healthy ? route.continue() : route.fulfill(problem(status, { code: "error" }))));
    await app.visit("Sessions");
    await expect(app.notice.or(app.alert).first()).toBeVisible();
    expect((await app.tokens()).refresh.sid).toBe(before.refresh.sid);

    healthy = true;
    await page.reload();
    await expect(app.signOutDevice.first()).toBeVisible();
  });
}

test("a 401 straight after a fresh refresh neither loops nor signs out", async ({ app, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const refreshes = app.record(REFRESH);
  const requests = app.record(SESSIONS, "GET");
  const stop = await intercept(page, SESSIONS, (route) => route.fulfill(problem(401, { code: "token_not_valid", reason: "token_expired" })));
  await app.visit("Sessions");
  await expect(app.alert.or(app.notice).first()).toBeVisible();
  expect(refreshes).toHaveLength(1);
  expect(requests).toHaveLength(2);
  await expect(app.signInHeading).toBeHidden();

  stop();
  await page.reload();
  await expect(app.signOutDevice.first()).toBeVisible();
});

test("a 401 that is not about the token causes no refresh", async ({ app, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const refreshes = app.record(REFRESH);
  const stop = await intercept(page, ME, (route) => route.fulfill(problem(401, { code: "not_authenticated" })));
  await app.visit("Sessions");
  await app.visit("Account");
  stop();
  await app.visitSessions();
  expect(refreshes.length).toBeLessThanOrEqual(1); // because of expiry, not of the response
  expect((await app.tokens()).refresh).toBeTruthy();
});
