import { API } from "../support/addresses.js";
import { REFRESH } from "../support/app.js";
import { expect, test } from "../support/test.js";

test("signing out clears the browser, ends the session and asks to sign in", async ({ api, app, page, person }) => {
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

test("the browser is cleared before the API is told", async ({ app, page, person }) => {
  await app.signIn(person);
  let told;
  const telling = new Promise((resolve) => (told = resolve));
  await page.route("**/api/auth/logout/", async (route) => {
    told(await app.tokens());
    await route.continue();
  });
  await app.signOutButton.click();
  expect(await telling).toEqual({});
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

test("somebody else signing in in one tab changes what the others show", async ({ api, app, newTab, person }) => {
  const somebody = await api.register();
  await app.signIn(person);
  const second = await newTab();
  await second.open("/");
  await second.expectSignedIn(person);

  await app.signOutButton.click();
  await app.fillSignIn(somebody);
  await app.expectSignedIn(somebody);
  await second.expectSignedIn(somebody);
  await expect(second.page.getByText(person.email)).toHaveCount(0);
});

test("a refresh that ends after the sign-out does not bring the session back", async ({ app, page, person }) => {
  await app.signIn(person);
  let begun;
  let answer;
  const asked = new Promise((resolve) => (begun = resolve));
  const gate = new Promise((resolve) => (answer = resolve));
  await page.route(REFRESH, async (route) => {
    const response = await route.fetch();
    begun();
    await gate;
    await route.fulfill({ response });
  });
  await app.accessExpires();
  await app.visit("Sessions");
  await asked;
  await app.signOutButton.click();
  await app.expectSignedOut();

  const answered = page.waitForResponse(REFRESH);
  answer();
  await (await answered).finished();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve))); // the answer's own turn is over
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

/** What this browser keeps of sign-outs that the API has not heard of. */
const late = (page) => page.evaluate(() => localStorage.getItem("latchkey.sign_outs"));

test("a sign-out without a network reaches the API when the network is back", async ({ api, app, context, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  const { sid } = await app.access();
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect(app.notice).toContainText("hears of the sign-out");
  expect(await api.isLive(person, sid)).toBe(true);

  await context.setOffline(false);
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await expect(app.notice).toHaveCount(0);
  expect(await page.evaluate(() => localStorage.length), "nothing is kept any longer").toBe(0);
});

test("a sign-out without a network reaches the API when the page is opened again", async ({ api, app, context, newTab, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  const { sid } = await app.access();
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect.poll(() => late(page)).not.toBeNull();
  await page.close();

  await context.setOffline(false);
  expect(await api.isLive(person, sid)).toBe(true);
  const next = await newTab();
  await next.open("/login");
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await expect.poll(() => late(next.page)).toBeNull();
});

test("a sign-out without a network reaches the API by another tab", async ({ api, app, context, newTab, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  const { sid } = await app.access();
  const second = await newTab();
  await second.open("/forgot-password");
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect.poll(() => late(page)).not.toBeNull();
  await expect(second.notice).toContainText("hears of the sign-out");
  await page.close();

  await context.setOffline(false);
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await expect.poll(() => late(second.page)).toBeNull();
});

test("a sign-out that the API could not take is sent again by itself, and ends nobody else's session", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(503);
  const somebody = await api.register();
  await app.signIn(person);
  const { sid } = await app.access();
  let isDown = true;
  await page.route("**/api/auth/logout/", (route) =>
    isDown ? route.fulfill({ status: 503, headers: { "access-control-allow-origin": "*" } }) : route.continue(),
  );
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect(page.getByRole("status")).toContainText("has not heard of the sign-out");
  await app.fillSignIn(somebody);
  await app.expectSignedIn(somebody);
  expect(await api.isLive(person, sid)).toBe(true);

  isDown = false;
  await expect.poll(() => api.isLive(person, sid), { timeout: 30_000 }).toBe(false);
  await expect.poll(() => late(page)).toBeNull();
  await page.reload();
  await app.expectSignedIn(somebody);
});

test("a sign-out without a network reaches the API where the browser stores nothing, too", async ({ api, app, context, page, person, watch }) => {
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
  await expect(app.notice).toContainText("hears of the sign-out");

  await context.setOffline(false);
  await expect.poll(() => api.isLive(person, sid)).toBe(false);
  await expect(app.notice).toHaveCount(0);
});

test("a sign-out that the API has not heard of for a day is forgotten", async ({ app, context, page, person, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  await context.setOffline(true);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect.poll(() => late(page)).not.toBeNull();
  const kept = JSON.parse(await late(page));
  // The clocks of a page cannot be moved together with its storage.
  const old = kept.map((one) => ({ ...one, at: one.at - 24 * 60 * 60 * 1000 }));
  await page.goto("about:blank").catch(() => {});
  await context.setOffline(false);
  await context.addInitScript((text) => {
    if (localStorage.getItem("latchkey.sign_outs")) localStorage.setItem("latchkey.sign_outs", text);
  }, JSON.stringify(old));
  const sent = app.record(`${API}/api/auth/logout/`);
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  expect(await late(page)).toBeNull();
  expect(sent).toEqual([]);
});

test("signing out while the API answers 503 clears the browser", async ({ app, page, person, watch }) => {
  watch.expectFailures(503);
  await app.signIn(person);
  await page.route("**/api/auth/logout/", (route) => route.fulfill({ status: 503, headers: { "access-control-allow-origin": "*" } }));
  await app.signOutButton.click();
  await app.expectSignedOut();
});
