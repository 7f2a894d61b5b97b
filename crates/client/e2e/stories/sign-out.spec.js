import { API } from "../support/addresses.js";
import { REFRESH } from "../support/app.js";
import { expect, test } from "../support/test.js";

test("signing out clears the browser, ends the session and shows the sign-in page", async ({ api, app, page, person }) => {
  await app.signIn(person);
  const { access, refresh } = await app.tokens();
  await page.evaluate(() => caches.open("left-over").then((cache) => cache.put("/x", new Response("x"))));
  await app.signOutButton.click();

  await app.expectSignedOut();
  expect(await page.evaluate(() => caches.keys())).toEqual([]);
  await expect.poll(() => api.meStatus(access.jwt)).toBe(401);
  expect((await api.refresh(refresh.jwt)).status).toBe(401);
  await page.reload();
  await app.expectSignedOut();
});

test("the browser is cleared before the sign-out is sent to the API", async ({ app, page, person }) => {
  await app.signIn(person);
  let report;
  const tokensAtSending = new Promise((resolve) => (report = resolve));
  await page.route("**/api/auth/logout/", async (route) => {
    report(await app.tokens());
    await route.continue();
  });
  await app.signOutButton.click();
  expect(await tokensAtSending).toEqual({});
  await app.expectSignedOut();
});

test("signing out in one tab signs out the others", async ({ app, newTab, person }) => {
  await app.signIn(person);
  const second = await newTab();
  await second.open("/sessions");
  await expect(second.signOutDevice.first()).toBeVisible();

  await app.signOutButton.click();
  await app.expectSignedOut();
  await second.expectSignedOut();
  await expect(second.page.getByText(person.email)).toHaveCount(0);
});

test("signing in in one tab signs in the others", async ({ app, newTab, person }) => {
  await app.open("/login");
  const second = await newTab();
  await second.open("/");
  await expect(second.signInHeading).toBeVisible();

  await app.fillSignIn(person);
  await app.expectSignedIn(person);
  await second.expectSignedIn(person);
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

test("a refresh that ends after the sign-out does not bring the session back", async ({ app, page, person }) => {
  await app.signIn(person);
  let arrive;
  let release;
  const requested = new Promise((resolve) => (arrive = resolve));
  const gate = new Promise((resolve) => (release = resolve));
  await page.route(REFRESH, async (route) => {
    const response = await route.fetch();
    arrive();
    await gate;
    await route.fulfill({ response });
  });
  await app.accessExpires();
  await app.visit("Sessions");
  await requested;
  await app.signOutButton.click();
  await app.expectSignedOut();

  const received = page.waitForResponse(REFRESH);
  release();
  await (await received).finished();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve))); // after the page has handled the response
  await app.expectSignedOut();
  await page.reload();
  await app.expectSignedOut();
});

test("the back button shows nothing protected after the sign-out", async ({ app, page, person }) => {
  await app.signIn(person);
  await app.visitSessions();
  await app.signOutButton.click();
  await app.expectSignedOut();
  for (let steps = 0; steps < 3; steps += 1) {
    await page.goBack().catch(() => {});
    await expect(page.getByText(person.email)).toHaveCount(0);
    await expect(app.signOutButton).toHaveCount(0);
  }
});

test("a page restored by the back button after a sign-out elsewhere shows nothing protected", async ({ app, page, newTab, person }) => {
  await app.signIn(person);
  await page.goto("about:blank");
  const second = await newTab();
  await second.open("/");
  await second.signOutButton.click();
  await second.expectSignedOut();

  await page.goBack();
  await app.expectSignedOut();
  await expect(page.getByText(person.email)).toHaveCount(0);
});

test("signing out without a network clears the browser", async ({ app, context, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();

  await context.setOffline(false);
  await page.reload();
  await app.expectSignedOut();
});

/** The sign-outs that this browser keeps because the API has not received them. */
const pendingSignOuts = (page) => page.evaluate(() => localStorage.getItem("latchkey.sign_outs"));

test("a sign-out without a network reaches the API when the network is back", async ({ api, app, context, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  const { sid } = await app.access();
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect(app.notice).toContainText("Signing out finishes");
  expect(await api.isLive(person, sid)).toBe(true);

  await context.setOffline(false);
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await expect(app.notice).toHaveCount(0);
  expect(await page.evaluate(() => localStorage.length), "nothing is stored any more").toBe(0);
});

test("a sign-out without a network reaches the API when the page is opened again", async ({ api, app, context, newTab, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  const { sid } = await app.access();
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect.poll(() => pendingSignOuts(page)).not.toBeNull();
  await page.close();

  await context.setOffline(false);
  expect(await api.isLive(person, sid)).toBe(true);
  const next = await newTab();
  await next.open("/login");
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await expect.poll(() => pendingSignOuts(next.page)).toBeNull();
});

test("a sign-out without a network reaches the API through another tab", async ({ api, app, context, newTab, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  const { sid } = await app.access();
  const second = await newTab();
  await second.open("/forgot-password");
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect.poll(() => pendingSignOuts(page)).not.toBeNull();
  await expect(second.notice).toContainText("Signing out finishes");
  await page.close();

  await context.setOffline(false);
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await expect.poll(() => pendingSignOuts(second.page)).toBeNull();
});

test("a sign-out that the API refused with 503 is repeated automatically, and ends no other person's session", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(503);
  const otherPerson = await api.register();
  await app.signIn(person);
  const { sid } = await app.access();
  let isDown = true;
  await page.route("**/api/auth/logout/", (route) =>
    isDown ? route.fulfill({ status: 503, headers: { "access-control-allow-origin": "*" } }) : route.continue(),
  );
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect(page.getByRole("status")).toContainText("Signing out is not finished");
  await app.fillSignIn(otherPerson);
  await app.expectSignedIn(otherPerson);
  expect(await api.isLive(person, sid)).toBe(true);

  isDown = false;
  await expect.poll(() => api.isLive(person, sid), { timeout: 30_000 }).toBe(false);
  await expect.poll(() => pendingSignOuts(page)).toBeNull();
  await page.reload();
  await app.expectSignedIn(otherPerson);
});

test("a sign-out without a network reaches the API even if the browser stores nothing", async ({ api, app, context, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await app.signIn(person);
  const { sid } = await app.access();
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect(app.notice).toContainText("Signing out finishes");

  await context.setOffline(false);
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await expect(app.notice).toHaveCount(0);
});

test("a sign-out that has not reached the API for a day is dropped", async ({ app, context, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect.poll(() => pendingSignOuts(page)).not.toBeNull();
  const pending = JSON.parse(await pendingSignOuts(page));
  // A page's clock cannot be advanced across page loads, so the stored times are moved back.
  const old = pending.map((signOut) => ({ ...signOut, at: signOut.at - 24 * 60 * 60 * 1000 }));
  await page.goto("about:blank").catch(() => {});
  await context.setOffline(false);
  await context.addInitScript((text) => {
    if (localStorage.getItem("latchkey.sign_outs")) localStorage.setItem("latchkey.sign_outs", text);
  }, JSON.stringify(old));
  const sent = app.record(`${API}/api/auth/logout/`);
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  expect(await pendingSignOuts(page)).toBeNull();
  expect(sent).toEqual([]);
});

test("signing out while the API returns 503 clears the browser", async ({ app, page, person, watch }) => {
  watch.expectFailures(503);
  await app.signIn(person);
  await page.route("**/api/auth/logout/", (route) => route.fulfill({ status: 503, headers: { "access-control-allow-origin": "*" } }));
  await app.signOutButton.click();
  await app.expectSignedOut();
});
