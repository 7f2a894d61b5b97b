// The API in production with TOKEN_TRANSPORT=cookie, and the client on another site. Whether that works depends on the browser's
// setting for third-party cookies.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import config from "../playwright.config.js";
import { CLIENT_ELSEWHERE } from "../support/addresses.js";
import { App, REFRESH } from "../support/app.js";
import { expect, test } from "../support/test.js";

test.use({ stage: "cookie", baseURL: CLIENT_ELSEWHERE });

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

test("a browser that allows them keeps the session", async ({ person, playwright, proxy }) => {
  // In Chromium the setting is part of a profile.
  const profile = mkdtempSync(join(tmpdir(), "latchkey-profile-"));
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default/Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 0 } }));
  const { launchOptions, ignoreHTTPSErrors } = config.use;
  const options = { ...launchOptions, ignoreHTTPSErrors, proxy, baseURL: CLIENT_ELSEWHERE };
  const context = await playwright.chromium.launchPersistentContext(profile, options);
  try {
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
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
});
