import { expect, test } from "../support/test.js";

test("a session ended elsewhere asks to sign in", async ({ api, app, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const { access } = await app.tokens();
  const other = await api.login(person);
  await api.endSession(other.access, access.sid);
  await app.visit("Sessions");
  await app.expectSignedOut();
  await expect(app.page.getByText(person.email)).toHaveCount(0);
});

test("after a session ended elsewhere, signing in again comes back to the same page", async ({ api, app, page, person, watch }) => {
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

test("a refresh token that was used by somebody else, long before, signs out here", async ({ api, app, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const { access, refresh } = await app.tokens();
  const other = await api.login(person);
  await api.refresh(refresh.jwt); // a thief who has the key to nothing
  await api.endSession(other.access, access.sid);
  await app.accessExpires();
  await app.visit("Sessions");
  await app.expectSignedOut();
});

test("every device is listed, this one first to be recognised", async ({ api, app, page, person }) => {
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
