// The API in production with TOKEN_TRANSPORT=cookie, and the client on another site. Whether that works depends on the browser's
// setting for third-party cookies.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import config from "../playwright.config.js";
import { API, CLIENT, CLIENT_ELSEWHERE } from "../support/addresses.js";
import { App, REFRESH } from "../support/app.js";
import { expect, test as base } from "../support/test.js";

const LOGOUT = `${API}/api/auth/logout/`;

const test = base.extend({
  /** A browser that allows third-party cookies. In Chromium the setting is part of a profile. */
  allowing: async ({ playwright, proxy }, use) => {
    const profile = mkdtempSync(join(tmpdir(), "latchkey-profile-"));
    mkdirSync(join(profile, "Default"));
    writeFileSync(join(profile, "Default/Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 0 } }));
    const { launchOptions, ignoreHTTPSErrors } = config.use;
    const options = { ...launchOptions, ignoreHTTPSErrors, proxy, baseURL: CLIENT_ELSEWHERE };
    const context = await playwright.chromium.launchPersistentContext(profile, options);
    await use(context);
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  },
});

test.use({ stage: "cookie", baseURL: CLIENT_ELSEWHERE });

/** The `SameSite` of each cookie with a refresh token: `Strict` where a page of the API's own site received it. */
const refreshCookies = async (context) =>
  (await context.cookies(REFRESH)).filter(({ httpOnly }) => httpOnly).map(({ sameSite }) => sameSite);

test("a browser that blocks third-party cookies is signed in until the reload, which says why", async ({ app, context, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  expect((await context.cookies(REFRESH)).map(({ name }) => name)).toEqual([]);
  await app.visitSessions();

  const refreshes = app.record(REFRESH);
  await page.reload();
  await app.expectSignedOut();
  await expect(page.getByText(/Allow cookies for https:\/\/api\.latchkey\.test/)).toBeVisible();
  expect(refreshes, "no loop").toHaveLength(1);
});

test("signing out without the cookie ends the page's own session", async ({ api, app, context, newTab, person, watch }) => {
  watch.expectFailures(401);
  const owner = await api.register();
  const own = await newTab();
  await own.open(`${CLIENT}/login`);
  await own.fillSignIn(owner);
  await own.expectSignedIn(owner);
  const { sid: ownersSid } = await own.access();

  await app.signIn(person);
  const { sid } = await app.access();
  const ended = app.page.waitForResponse((response) => response.request().method() === "DELETE");
  await app.signOutButton.click();
  await app.expectSignedOut();
  expect(new URL((await ended).url()).pathname).toBe(`/api/auth/sessions/${sid}/`);
  expect(await api.isLive(person, sid)).toBe(false);

  expect(await refreshCookies(context)).toEqual(["Strict"]);
  await own.page.reload();
  await own.expectSignedIn(owner);
  expect((await own.access()).sid).toBe(ownersSid);
});

test("a browser that allows them keeps the session", async ({ allowing: context, person }) => {
  const app = new App(await context.newPage());
  await app.signIn(person);
  const { sid } = await app.access();
  const cookie = (await context.cookies(REFRESH)).find(({ httpOnly }) => httpOnly);
  expect(cookie).toMatchObject({ sameSite: "None", secure: true, httpOnly: true });
  await app.page.reload();
  await app.expectSignedIn(person);
  expect((await app.access()).sid).toBe(sid);
  await app.signOutButton.click();
  await app.expectSignedOut();
  await expect.poll(async () => (await context.cookies(REFRESH)).map(({ name }) => name)).toEqual([]);
});

test.describe("with the cookies of another person, which the browser withholds from the page", () => {
  /** Signs the owner of the cookies in on a page of the API's own site: its cookies are `SameSite=Strict`. */
  const signInOwner = async ({ api, context }) => {
    const [owner, own] = [await api.register(), new App(await context.newPage())];
    await own.open(`${CLIENT}/login`);
    await own.fillSignIn(owner);
    await own.expectSignedIn(owner);
    expect(await refreshCookies(context)).toEqual(["Strict"]);
    return { owner, own, sid: (await own.access()).sid };
  };

  // Neither request has a cookie, but its response could remove the owner's.
  for (const [what, act] of Object.entries({
    "a reload": async (app) => {
      await app.page.reload();
      await app.expectSignedOut();
    },
    "signing out": async (app) => {
      const response = app.page.waitForResponse(LOGOUT);
      await app.signOutButton.click();
      await app.expectSignedOut();
      expect((await response).status()).toBe(401);
    },
  })) {
    test(`${what} leaves them`, async ({ allowing: context, api, person }) => {
      const app = new App(await context.newPage());
      await app.signIn(person);
      const { owner, own, sid } = await signInOwner({ api, context });

      await act(app);
      expect(await refreshCookies(context)).toEqual(["Strict"]);
      await own.page.reload();
      await own.expectSignedIn(owner);
      expect((await own.access()).sid).toBe(sid);
    });
  }

  test("a sign-in replaces them, and leaves the owner's session", async ({ allowing: context, api, person }) => {
    const { owner, own, sid } = await signInOwner({ api, context });
    const app = new App(await context.newPage());
    await app.signIn(person);

    expect(await refreshCookies(context)).toEqual(["None"]);
    const { sid: signedIn } = await app.access();
    await app.page.reload();
    await app.expectSignedIn(person);
    expect((await app.access()).sid).toBe(signedIn);
    expect(await api.isLive(owner, sid)).toBe(true);

    // The owner's page has no use for the cookies of another session, and leaves them.
    await own.page.reload();
    await own.expectSignedOut();
    await app.page.reload();
    await app.expectSignedIn(person);
    expect((await app.access()).sid).toBe(signedIn);
  });
});
