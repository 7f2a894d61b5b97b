// The API in production with TOKEN_TRANSPORT=cookie, and the client on another host of the same site.
import { API, CLIENT, LOSE } from "../support/addresses.js";
import { REFRESH } from "../support/app.js";
import { intercept } from "../support/intercept.js";
import { expect, test } from "../support/test.js";

test.use({ stage: "cookie" });

const isToken = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;

/** The refresh cookie in the browser, if there is one. */
async function refreshCookie(context) {
  return (await context.cookies(REFRESH)).find(({ name }) => name.endsWith("refresh_token"));
}

/** Everything that a script of the page can still read after a reload. */
const storedData = (page) =>
  page.evaluate(async () => {
    const databases = await indexedDB.databases();
    const stored = [document.cookie, { ...localStorage }, { ...sessionStorage }, databases, await caches.keys(), history.state, name];
    return JSON.stringify(stored);
  });

/** Loses the response to the next refresh, or only its body, on its way to the browser. */
const loseNext = (page, part, keys) =>
  intercept(
    page,
    REFRESH,
    (route) => {
      const headers = route.request().headers();
      keys.push(headers["idempotency-key"]);
      return route.continue({ headers: { ...headers, [LOSE]: part } });
    },
    { times: 1 },
  );

test("signing in leaves no token where a script could read it", async ({ app, context, page, person }) => {
  const loginResponse = page.waitForResponse(`${API}/api/auth/login/`);
  await app.signIn(person);

  const { access, ...rest } = await (await loginResponse).json();
  expect(access).toMatch(isToken);
  expect(rest).not.toHaveProperty("refresh");
  expect(JSON.stringify(rest)).not.toMatch(isToken);
  expect(await storedData(page)).not.toMatch(isToken);
  expect(await refreshCookie(context)).toMatchObject({
    name: "__Secure-refresh_token",
    domain: ".latchkey.test",
    path: "/api/auth/",
    httpOnly: true,
    secure: true,
    sameSite: "Strict",
  });
});

test("only requests that renew or end the session carry the cookie", async ({ app, page, person }) => {
  const carriers = new Set();
  page.on("response", async (response) => {
    const { cookie = "" } = await response.request().allHeaders();
    if (cookie.includes("refresh_token=")) carriers.add(new URL(response.url()).pathname);
  });
  await app.signIn(person);
  await page.reload();
  await app.expectSignedIn(person);
  await app.visitSessions();
  await app.signOutButton.click();
  await expect.poll(() => [...carriers].sort()).toEqual(["/api/auth/logout/", "/api/auth/refresh/"]);
});

test("a reload refreshes once, by the cookie", async ({ app, page, person }) => {
  await app.signIn(person);
  const { sid } = await app.access();
  const refreshes = app.record(REFRESH);
  await page.reload();
  await app.expectSignedIn(person);
  expect((await app.access()).sid).toBe(sid);
  expect(refreshes).toHaveLength(1);
  expect(refreshes[0].headers()["x-csrf-token"]).toBeTruthy();
  expect(refreshes[0].postDataJSON()).toEqual({});
});

test("an expired access token is refreshed unnoticed", async ({ app, page, person }) => {
  await app.signIn(person);
  const { sid } = await app.access();
  const refreshes = app.record(REFRESH);
  await app.accessExpires();
  await app.visitSessions();
  expect((await app.access()).sid).toBe(sid);
  const keys = refreshes.map((request) => request.headers()["idempotency-key"]);
  expect(keys.length).toBeGreaterThan(0);
  expect(new Set(keys).size, "a new key for each rotation").toBe(keys.length);
  await expect(app.alert).toBeHidden();
});

for (const locks of ["with", "without"]) {
  test(`tabs that refresh at once, ${locks} Web Locks, all stay signed in`, async ({ api, app, context, newTab, person }) => {
    if (locks === "without") {
      await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined }));
    }
    await app.signIn(person);
    const { sid } = await app.access();
    const tabs = [app, ...(await Promise.all([1, 2].map(newTab)))];
    await Promise.all(tabs.slice(1).map((tab) => tab.open("/")));
    for (const tab of tabs) await tab.expectSignedIn(person);
    const refused = [];
    context.on("response", (response) => response.url() === REFRESH && response.status() !== 200 && refused.push(response.status()));
    for (let round = 0; round < 2; round += 1) {
      for (const tab of tabs) await tab.accessExpires();
      await Promise.all(tabs.map((tab) => (round ? tab.page.reload() : tab.visitSessions())));
      for (const tab of tabs) await expect(tab.signOutButton).toBeVisible();
    }
    expect(refused).toEqual([]);
    for (const tab of tabs.toReversed()) await tab.visitSessions(); // the first tab last: its token is fresh
    for (const tab of tabs) expect((await tab.access()).sid).toBe(sid);
    expect(await api.sessions((await app.access()).jwt)).toHaveLength(1);
  });
}

for (const part of ["response", "body"]) {
  test(`a refresh whose ${part} is lost is repeated with the same key, and the session continues`, async ({ app, page, person, watch }) => {
    watch.expectText(/net::ERR_/);
    await app.signIn(person);
    const { sid } = await app.access();
    const keys = [];
    await loseNext(page, part, keys);
    const refreshes = app.record(REFRESH);
    await app.accessExpires();
    await app.visit("Sessions");
    await expect(app.signOutDevice.first()).toBeVisible({ timeout: 30_000 });
    expect(refreshes.length).toBeGreaterThan(1);
    expect(refreshes[1].headers()["idempotency-key"]).toBe(keys[0]);
    expect((await app.access()).sid).toBe(sid);
  });
}

test("a refresh whose response is lost by closing the tab is repeated by the next tab", async ({ app, page, newTab, person, watch }) => {
  watch.expectText(/net::ERR_/);
  await app.signIn(person);
  const { sid } = await app.access();
  const keys = [];
  await loseNext(page, "response", keys);
  await app.accessExpires();
  const lost = page.waitForEvent("requestfailed", (request) => request.url() === REFRESH);
  await app.visit("Sessions");
  await lost;
  await page.close();

  const next = await newTab();
  const refreshes = next.record(REFRESH);
  await next.open("/");
  await next.expectSignedIn(person);
  expect(refreshes[0].headers()["idempotency-key"]).toBe(keys[0]);
  expect((await next.access()).sid).toBe(sid);
});

test("signing out removes the cookie, ends the session, and signs out the other tabs", async ({ api, app, context, newTab, page, person }) => {
  await app.signIn(person);
  const second = await newTab();
  await second.open("/sessions");
  await expect(second.signOutDevice.first()).toBeVisible();
  const { jwt } = await second.access();
  await app.signOutButton.click();

  await app.expectSignedOut();
  await second.expectSignedOut();
  await expect.poll(() => refreshCookie(context)).toBeUndefined();
  await expect.poll(() => api.meStatus(jwt)).toBe(401);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
  await page.reload();
  await app.expectSignedOut();
});

test("the storage is cleared before the sign-out is sent to the API", async ({ app, page, person }) => {
  await app.signIn(person);
  let report;
  const itemsAtSending = new Promise((resolve) => (report = resolve));
  await page.route("**/api/auth/logout/", async (route) => {
    report(await page.evaluate(() => localStorage.length));
    await route.continue();
  });
  await app.signOutButton.click();
  expect(await itemsAtSending).toBe(0);
});

test("a sign-in waits for the response to an earlier sign-out, which removes the cookie", async ({ app, context, page, person }) => {
  await app.signIn(person);
  const responses = [];
  page.on("response", (response) => responses.push(new URL(response.url()).pathname));
  await page.route("**/api/auth/logout/", (route) => setTimeout(() => route.continue(), 1_000)); // a slow server
  await app.signOutButton.click();
  await app.fillSignIn(person);

  await app.expectSignedIn(person);
  const [signOut, signIn] = ["/api/auth/logout/", "/api/auth/login/"].map((path) => responses.indexOf(path));
  expect(signOut).toBeGreaterThanOrEqual(0);
  expect(signOut).toBeLessThan(signIn);
  expect(await refreshCookie(context)).toBeDefined();
  await page.reload();
  await app.expectSignedIn(person);
});

test("a sign-out without a network ends the session and removes the cookie when the network is back", async ({ api, app, context, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  const { sid } = await app.access();
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect(app.notice).toContainText("Signing out finishes");
  expect(await storedData(page), "scripts still cannot read the cookie").not.toMatch(isToken);
  expect(await api.isLive(person, sid)).toBe(true);

  await context.setOffline(false);
  await expect.poll(() => refreshCookie(context)).toBeUndefined();
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await expect.poll(() => page.evaluate(() => localStorage.length)).toBe(0);
});

test("the next person's sign-in waits for a sign-out that had no network, which ends only the first person's session", async ({ api, app, context, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  const otherPerson = await api.register();
  await app.signIn(person);
  const { sid } = await app.access();
  const responses = [];
  page.on("response", (response) => responses.push(new URL(response.url()).pathname));
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect(app.notice).toContainText("Signing out finishes");
  await page.route("**/api/auth/logout/", (route) => setTimeout(() => route.continue(), 1_000)); // a slow server
  await context.setOffline(false);
  await app.fillSignIn(otherPerson);

  await app.expectSignedIn(otherPerson);
  const [signOut, signIn] = ["/api/auth/logout/", "/api/auth/login/"].map((path) => responses.indexOf(path));
  expect(signOut).toBeGreaterThanOrEqual(0);
  expect(signOut).toBeLessThan(signIn);
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await page.reload();
  await app.expectSignedIn(otherPerson);
});

test("a sign-out that the API could not store is repeated with the cookie, and ends the session", async ({ api, app, context, page, person, watch }) => {
  watch.expectFailures(503);
  await app.signIn(person);
  const { sid } = await app.access();
  api.refuseRevocationOf(sid);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect(page.getByRole("status")).toContainText("Signing out is not finished");
  expect(await refreshCookie(context), "the next attempt needs it").toBeDefined();

  api.permitRevocationOf(sid);
  await expect.poll(() => refreshCookie(context), { timeout: 30_000 }).toBeUndefined();
  await expect(page.getByRole("status")).toBeEmpty();
  expect(await api.isLive(person, sid)).toBe(false);
});

test("a pending sign-out is dropped when another session's cookie has replaced its own", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(503);
  const otherPerson = await api.register();
  await app.signIn(person);
  const { sid } = await app.access();
  api.refuseRevocationOf(sid);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect(page.getByRole("status")).toContainText("Signing out is not finished");
  await app.fillSignIn(otherPerson);
  await app.expectSignedIn(otherPerson);
  expect(await page.evaluate(() => localStorage.getItem("latchkey.sign_outs"))).toBeNull();
  await expect(page.getByRole("status")).toBeEmpty();
  await page.reload();
  await app.expectSignedIn(otherPerson);
  api.permitRevocationOf(sid);
});

test("a lost CSRF cookie leads to the sign-in page, with the right reason", async ({ app, context, page, person, watch }) => {
  watch.expectFailures(403);
  await app.signIn(person);
  await context.clearCookies({ name: "csrf_token" });
  await page.reload();
  await app.expectSignedOut();
  await expect(page.getByText(/or some of its cookies were deleted/)).toBeVisible();
  await app.fillSignIn(person);
  await app.expectSignedIn(person);
});

test("another person's sign-in in one tab changes what the others show", async ({ api, app, newTab, person }) => {
  const otherPerson = await api.register();
  await app.signIn(person);
  const second = await newTab();
  await second.open("/");
  await second.expectSignedIn(person);

  await app.signOutButton.click();
  await app.fillSignIn(otherPerson);
  await app.expectSignedIn(otherPerson);
  await second.expectSignedIn(otherPerson);
  await expect(second.page.getByText(person.email)).toHaveCount(0);
});

test("a lost refresh cookie leads to the sign-in page, says why, and does not loop", async ({ app, context, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  await context.clearCookies();
  const refreshes = app.record(REFRESH);
  await page.reload();
  await app.expectSignedOut();
  await expect(page.getByText(/Allow cookies for https:\/\/api\.latchkey\.test/)).toBeVisible();
  expect(refreshes).toHaveLength(1);
  await app.fillSignIn(person);
  await expect(page).toHaveURL(`${CLIENT}/`);
  await app.expectSignedIn(person);
});

test("a session whose cookie another front end has replaced ends and says why, and signing in again works", async ({ app, page, person, watch }) => {
  watch.expectFailures(403);
  await app.signIn(person);
  const { sid } = await app.access();
  // Another front end of the same API signs in like this.
  const status = await page.evaluate(async ([url, email, password]) => {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ email, password });
    return (await fetch(url, { method: "POST", credentials: "include", headers, body })).status;
  }, [`${API}/api/auth/login/`, person.email, person.password]);
  expect(status).toBe(200);
  const refreshes = app.record(REFRESH);
  await page.reload();
  await app.expectSignedOut();
  await expect(page.getByText(/signed in with this browser on another page/)).toBeVisible();
  expect(refreshes).toHaveLength(1);
  await app.fillSignIn(person);
  await expect(page).toHaveURL(`${CLIENT}/`);
  await app.expectSignedIn(person);
  expect((await app.access()).sid).not.toBe(sid);
});

test("deleting the account removes the cookie", async ({ app, context, page, person }) => {
  await app.signIn(person);
  await app.visit("Account");
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Delete account", exact: true }).click();
  await expect(page.getByText("Your account is deleted")).toBeVisible();
  expect(await refreshCookie(context)).toBeUndefined();
});
