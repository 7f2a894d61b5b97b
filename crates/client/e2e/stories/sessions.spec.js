import { claims } from "../support/api.js";
import { SESSIONS } from "../support/app.js";
import { expect, test } from "../support/test.js";

/** The number of devices that are shown at once. */
const AT_ONCE = 20;

test("a session ended elsewhere leads to the sign-in page", async ({ api, app, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const { access } = await app.tokens();
  const other = await api.login(person);
  await api.endSession(other.access, access.sid);
  await app.visit("Sessions");
  await app.expectSignedOut();
  await expect(app.page.getByText(person.email)).toHaveCount(0);
});

test("after a session ended elsewhere, signing in leads back to the same page", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const { access } = await app.tokens();
  const other = await api.login(person);
  await api.endSession(other.access, access.sid);
  await page.goto("/sessions");
  await app.expectSignedOut();
  await app.fillSignIn(person);
  await expect(page).toHaveURL(/\/sessions$/);
  await expect(app.signOutDevice.first()).toBeVisible();
});

test("a refresh token that a thief used long before signs out here", async ({ api, app, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const { access, refresh } = await app.tokens();
  const other = await api.login(person);
  await api.refresh(refresh.jwt); // a thief, without the idempotency key
  await api.endSession(other.access, access.sid);
  await app.accessExpires();
  await app.visit("Sessions");
  await app.expectSignedOut();
});

test("every device is listed, and this one is marked", async ({ api, app, page, person }) => {
  await api.login(person, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15");
  await app.signIn(person);
  await app.visitSessions();
  await expect(app.signOutDevice).toHaveCount(2);
  await expect(page.getByText(/this device|current/i).first()).toBeVisible();
  const { access } = await app.tokens();
  expect(await api.sessions(access.jwt)).toHaveLength(2);
});

test("another device is signed out by its button, and this one stays", async ({ api, app, page, person }) => {
  const other = await api.login(person);
  await app.signIn(person);
  await app.visitSessions();
  const { access } = await app.tokens();
  const device = page.getByRole("listitem").or(page.getByRole("row")).filter({ has: app.signOutDevice });
  await expect(device).toHaveCount(2);
  await device.filter({ hasNotText: /current|this device(?! *$)/i }).getByRole("button").click();

  await expect(app.signOutDevice).toHaveCount(1);
  await expect.poll(() => api.meStatus(other.access)).toBe(401);
  expect((await api.refresh(other.refresh)).status).toBe(401);
  expect(await api.meStatus(access.jwt)).toBe(200);
  await page.reload();
  await expect(app.signOutDevice).toHaveCount(1);
});

test("signing out everywhere ends every session, this one too", async ({ api, app, person }) => {
  const others = [await api.login(person), await api.login(person)];
  await app.signIn(person);
  await app.visitSessions();
  await app.signOutEverywhere.click();

  await app.expectSignedOut();
  for (const { access, refresh } of others) {
    await expect.poll(() => api.meStatus(access)).toBe(401);
    expect((await api.refresh(refresh)).status).toBe(401);
  }
});

/** Shows the account with `count` copies of its session; the session of this device is the last. */
async function withSessions(page, count) {
  await page.route(SESSIONS, async (route) => {
    const response = await route.fetch();
    if (!response.ok()) return route.fulfill({ response });
    const { "content-encoding": _encoding, "content-length": _length, ...headers } = response.headers();
    const [one] = await response.json();
    const id = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
    const all = Array.from({ length: count }, (_, i) => (i ? { ...one, id: id(i), current: false } : one)).reverse();
    return route.fulfill({ status: 200, headers, body: JSON.stringify(all) });
  });
}

test("of thousands of devices only a few are shown, this one first, and the rest on demand", async ({ app, page, person }) => {
  await app.signIn(person);
  await withSessions(page, 6_000);
  await app.visitSessions();
  const devices = page.locator(".list-item");
  await expect(devices).toHaveCount(AT_ONCE);
  await expect(devices.first()).toContainText("This device");
  await expect(page.getByText("20 of 6000 devices are shown.")).toBeVisible();
  await expect(app.signOutEverywhere).toBeVisible();
  // The button shows a few more, and moves the focus to them.
  for (const shown of [2 * AT_ONCE, 3 * AT_ONCE]) {
    await page.getByRole("button", { name: "Show more", exact: true }).click();
    await expect(devices).toHaveCount(shown);
    await expect(devices.nth(shown - AT_ONCE)).toBeFocused();
    await expect(page.getByText(`${shown} of 6000 devices are shown.`)).toBeVisible();
  }
  // The browser's work stays small: only devices that are shown have elements.
  expect(await page.locator("main *").count()).toBeLessThan(3 * AT_ONCE * 30);
});

test("the last devices are shown without a button for more, and a signed-out device is replaced by another", async ({ api, app, page, person }) => {
  for (let count = 0; count <= AT_ONCE; count += 1) await api.login(person, `device ${count}`);
  await app.signIn(person);
  await app.visitSessions();
  const devices = page.locator(".list-item");
  const more = page.getByRole("button", { name: "Show more", exact: true });
  await expect(page.getByText("20 of 22 devices are shown.")).toBeVisible();
  await devices.nth(1).getByRole("button").click();
  await expect(page.getByText("20 of 21 devices are shown.")).toBeVisible();
  await expect(devices).toHaveCount(AT_ONCE);
  await more.click();
  await expect(devices).toHaveCount(AT_ONCE + 1);
  await expect(devices.last()).toBeFocused();
  await expect(more).toHaveCount(0);
  await expect(page.getByText("devices are shown")).toHaveCount(0);
});

for (const name of ["Sign out this device", "Sign out everywhere"]) {
  test(`"${name}" without a network reports the failure, and works when the network is back`, async ({ api, app, context, page, person, watch }) => {
    watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
    const other = await api.login(person);
    const { sid } = claims(other.access);
    await app.signIn(person);
    await app.visitSessions();
    const button = page.getByRole("button", { name, exact: true }).last();
    await context.setOffline(true);
    await button.click();
    await expect(app.alert).toContainText("cannot be reached");
    await expect(app.signOutDevice).toHaveCount(2);
    expect(await api.isLive(person, sid)).toBe(true);

    await context.setOffline(false);
    expect(await api.isLive(person, sid), "an old request is not sent later").toBe(true);
    await button.click();
    await expect.poll(() => api.isLive(person, sid)).toBe(false);
  });
}

test("a failed sign-out everywhere is not reported as successful when another device ends the session", async ({ api, app, context, page, person, watch }) => {
  watch.expectFailures(401, "net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  await app.visitSessions();
  await context.setOffline(true);
  await app.signOutEverywhere.click();
  await expect(app.alert).toContainText("cannot be reached");
  await context.setOffline(false);
  await app.accessExpires();
  await app.visit("Account"); // sends no request
  await app.visitSessions();
  const { access } = await app.tokens();
  const other = await api.login(person);
  await api.endSession(other.access, access.sid);
  // The page asks the server again, unless it has just done so by itself.
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  await app.expectSignedOut();
  await expect(page.getByText("Every device is signed out")).toHaveCount(0);
  await expect(page.getByText("session has ended")).toBeVisible();
});
