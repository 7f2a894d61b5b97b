// Staying signed in: across a reload, expiry, many tabs, and a lost response.
import { ME, REFRESH } from "../support/app.js";
import { intercept } from "../support/intercept.js";
import { expect, test } from "../support/test.js";

test("a reload keeps the session", async ({ app, page, person }) => {
  await app.signIn(person);
  const before = await app.tokens();
  await page.reload();
  await app.expectSignedIn(person);
  expect((await app.tokens()).refresh.sid).toBe(before.refresh.sid);
});

test("a new tab is signed in", async ({ app, newTab, person }) => {
  await app.signIn(person);
  const second = await newTab();
  await second.open("/");
  await second.expectSignedIn(person);
});

test("an expired access token is refreshed once, unnoticed", async ({ app, page, person }) => {
  await app.signIn(person);
  const before = await app.tokens();
  const refreshes = app.record(REFRESH);
  await app.accessExpires();
  await app.visitSessions();

  const after = await app.tokens();
  expect(after.refresh.sid).toBe(before.refresh.sid);
  // One refresh for each lifetime, however many requests needed it.
  expect(after.refresh.gen - before.refresh.gen).toBe(refreshes.length);
  expect(refreshes.length).toBeGreaterThan(0);
  expect(refreshes.length).toBeLessThanOrEqual(2);
  for (const request of refreshes) expect(request.headers()["idempotency-key"]).toMatch(/^[\w-]{16,}$/);
  await expect(app.signInHeading).toBeHidden();
  await expect(app.alert).toBeHidden();
});

test("a reload after expiry refreshes before it shows the account", async ({ app, page, person }) => {
  await app.signIn(person);
  const { refresh } = await app.tokens();
  await app.accessExpires();
  await page.reload();
  await app.expectSignedIn(person);
  expect((await app.tokens()).refresh.gen).toBeGreaterThan(refresh.gen);
});

test("a token that the API no longer accepts is refreshed, and the request is repeated", async ({ app, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const refreshes = app.record(REFRESH);
  const requests = app.record(ME, "GET");
  await intercept(page, ME, async (route) => {
    await route.fulfill({ response: await route.fetch({ headers: { ...route.request().headers(), authorization: "Bearer x.y.z" } }) });
  }, { times: 1 });
  await page.reload();

  await app.expectSignedIn(person);
  expect(refreshes).toHaveLength(1);
  expect(requests).toHaveLength(2);
});

for (const locks of ["with", "without"]) {
  test(`five tabs that refresh at once, ${locks} Web Locks, all stay signed in`, async ({ api, app, context, newTab, person, watch }) => {
    test.setTimeout(120_000);
    if (locks === "without") {
      await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined }));
    }
    await app.signIn(person);
    const tabs = [app, ...(await Promise.all([1, 2, 3, 4].map(newTab)))];
    await Promise.all(tabs.slice(1).map((tab) => tab.open("/")));
    for (const tab of tabs) await tab.expectSignedIn(person);

    const responses = [];
    context.on("response", (response) => {
      if (response.url() === REFRESH && response.request().method() === "POST") responses.push(response);
    });
    const before = await app.tokens();
    await app.accessExpires();
    await Promise.all(tabs.map((tab) => tab.visitSessions()));

    const after = await app.tokens();
    expect(after.refresh.sid).toBe(before.refresh.sid);
    // All responses of a generation have the same refresh token, byte for byte, and each generation follows the previous one.
    const tokens = new Map();
    for (const response of responses) {
      expect(response.status()).toBe(200);
      const { refresh } = await response.json();
      const { gen } = JSON.parse(Buffer.from(refresh.split(".")[1], "base64url").toString());
      expect(tokens.get(gen) ?? refresh).toBe(refresh);
      tokens.set(gen, refresh);
    }
    expect(tokens.get(after.refresh.gen)).toBe(after.refresh.jwt);
    expect([...tokens.keys()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: after.refresh.gen - before.refresh.gen }, (_, step) => before.refresh.gen + step + 1),
    );
    for (const tab of tabs) expect((await tab.tokens()).refresh.jwt).toBe((await tabs[0].tokens()).refresh.jwt);

    // The session continues: the server still has one live token, and the tabs hold it.
    await app.accessExpires();
    await Promise.all(tabs.map((tab) => tab.page.reload()));
    for (const tab of tabs) await expect(tab.signOutButton).toBeVisible();
    await app.visitSessions(); // with a fresh token
    const { access } = await app.tokens();
    expect((await api.sessions(access.jwt)).filter(({ id }) => id === access.sid)).toHaveLength(1);
  });
}

test("a refresh whose response is lost is repeated with the same key, and the session continues", async ({ app, page, person, watch }) => {
  watch.expectFailures("net::ERR_CONNECTION_RESET");
  await app.signIn(person);
  const before = await app.tokens();
  const keys = [];
  let lost;
  await page.route(REFRESH, async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    if (lost) return route.continue();
    lost = (await (await route.fetch()).json()).refresh; // the server has rotated
    await route.abort("connectionreset"); // and the response is lost
  });
  await app.accessExpires();
  await app.visit("Sessions");
  await expect(app.signOutDevice.first()).toBeVisible({ timeout: 30_000 });

  expect(keys.length).toBeGreaterThanOrEqual(2);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[0]).toBeTruthy();
  const after = await app.tokens();
  expect(after.refresh.sid).toBe(before.refresh.sid);
  if (after.refresh.gen === before.refresh.gen + 1) expect(after.refresh.jwt).toBe(lost);
});

test("a refresh whose response is lost by closing the tab is repeated by the next tab", async ({ app, page, newTab, person }) => {
  await app.signIn(person);
  const before = await app.tokens();
  const keys = [];
  let handled;
  const done = new Promise((resolve) => (handled = resolve));
  await page.route(REFRESH, async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    await route.fetch();
    handled();
  });
  await app.accessExpires();
  await app.visit("Sessions");
  await done;
  await page.close();

  const next = await newTab();
  const refreshes = next.record(REFRESH);
  await next.open("/");
  await next.expectSignedIn(person);
  expect(refreshes[0].headers()["idempotency-key"]).toBe(keys[0]);
  expect((await next.tokens()).refresh.sid).toBe(before.refresh.sid);
});
