import { CLIENT } from "../support/addresses.js";
import { PAGES, addressOf, isProtected } from "../support/pages.js";
import { expect, test } from "../support/test.js";

// Records in the page whether protected content was ever on the screen, even for one frame.
const watchProtected = () => {
  window.sawProtected = false;
  const check = () => {
    if (/Your account|Sign out/.test(document.body?.innerText ?? "")) window.sawProtected = true;
  };
  new MutationObserver(check).observe(document, { childList: true, subtree: true, characterData: true });
};

for (const path of [...PAGES.filter(isProtected).map(addressOf), "/sessions?from=mail#newest"]) {
  test(`without a session, ${path} leads to the sign-in page and then back`, async ({ app, page, person }) => {
    await page.addInitScript(watchProtected);
    await app.open(path);
    await expect(app.signInHeading).toBeVisible();
    expect(new URL(page.url()).pathname).toBe("/login");
    expect(await page.evaluate(() => window.sawProtected)).toBe(false);

    await app.fillSignIn(person);
    await expect(page).toHaveURL(CLIENT + path);
    await expect(app.signOutButton).toBeVisible();
  });
}

test("nothing protected is shown before it is known that the session has ended", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const { refresh } = await app.tokens();
  await api.logout(refresh.jwt);
  await app.accessExpires();

  await page.addInitScript(watchProtected);
  await app.open("/");
  await app.expectSignedOut();
  expect(await page.evaluate(() => window.sawProtected)).toBe(false);
});

test("a signed-in person is not asked to sign in again", async ({ app, page, person }) => {
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

// Two encodings: as a browser would, and with only those characters escaped that end a query.
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
        expect(pathname, "a path that other software might read as a host").not.toMatch(/^\/[/\\]/);
        await page.evaluate(() => localStorage.clear());
      });
    }
  });
}
