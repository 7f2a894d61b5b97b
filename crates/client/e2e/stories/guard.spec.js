import { CLIENT } from "../support/addresses.js";
import { PAGES, addressOf, isProtected } from "../support/pages.js";
import { expect, test } from "../support/test.js";

// Kept by the page itself: has a protected page ever been on the screen, be it for one frame?
const noticeProtected = () => {
  window.sawProtected = false;
  const look = () => {
    if (/Your account|Sign out/.test(document.body?.innerText ?? "")) window.sawProtected = true;
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
};

for (const path of [...PAGES.filter(isProtected).map(addressOf), "/sessions?from=mail#newest"]) {
  test(`without a session, ${path} asks to sign in and then comes back`, async ({ app, page, person }) => {
    await page.addInitScript(noticeProtected);
    await app.open(path);
    await expect(app.signInHeading).toBeVisible();
    expect(new URL(page.url()).pathname).toBe("/login");
    expect(await page.evaluate(() => window.sawProtected)).toBe(false);

    await app.fillSignIn(person);
    await expect(page).toHaveURL(CLIENT + path);
    await expect(app.signOutButton).toBeVisible();
  });
}

test("nothing protected is shown before an ended session is known to be ended", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const { refresh } = await app.tokens();
  await api.logout(refresh.jwt);
  await app.accessExpires();

  await page.addInitScript(noticeProtected);
  await app.open("/");
  await app.expectSignedOut();
  expect(await page.evaluate(() => window.sawProtected)).toBe(false);
});

test("somebody who is signed in is not asked to sign in again", async ({ app, page, person }) => {
  await app.signIn(person);
  await app.open("/login?next=/sessions");
  await expect(page).toHaveURL(`${CLIENT}/sessions`);
});

const ELSEWHERE = [
  "//e.com",
  "///e.com",
  "/\\e.com",
  "\\\\e.com",
  "/\t/e.com",
  "\t//e.com",
  "/\n/e.com",
  " //e.com",
  "/%09/e.com",
  "/%5ce.com",
  "%2f%2fe.com",
  "https:e.com",
  "https://e.com/",
  "https://latchkey.test.e.com",
  `${CLIENT}@e.com`,
  `${CLIENT}.e.com`,
  "//app.latchkey.test@e.com",
  "javascript:alert(1)",
  "JavaScript://%0aalert(1)",
  "data:,x",
  "/..//e.com",
  "/.//e.com",
  "e.com",
];

// Two ways to write it: as a browser would, and with only that escaped which ends a query.
const spellings = {
  encoded: encodeURIComponent,
  raw: (next) => next.replace(/[%\t\n# ]/g, (sign) => (/%[0-9a-f]{2}/i.test(next) ? sign : encodeURIComponent(sign))),
};

for (const [spelling, encode] of Object.entries(spellings)) {
  test(`a \`next\` that points elsewhere (${spelling}) never leaves this site`, async ({ app, page, person }) => {
    test.setTimeout(180_000);
    page.on("dialog", (dialog) => {
      throw new Error(`a dialog opened: ${dialog.message()}`);
    });
    for (const next of ELSEWHERE) {
      await test.step(JSON.stringify(next), async () => {
        await app.open(`/login?next=${encode(next)}`);
        await app.fillSignIn(person);
        await expect(app.signOutButton).toBeVisible();
        const { origin, pathname } = new URL(page.url());
        expect(origin).toBe(CLIENT);
        expect(pathname, "a path that some other software would take for a host").not.toMatch(/^\/[/\\]/);
        await page.evaluate(() => localStorage.clear());
      });
    }
  });
}
