// Browsers keep whole pages in memory for the back button. Playwright disables that by default.
import config from "../playwright.config.js";
import { API } from "../support/addresses.js";
import { linkTo } from "../support/mail.js";
import { expect, test } from "../support/test.js";

test.use({ launchOptions: { ...config.use.launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] } });

test("a page taken from memory after a sign-out elsewhere shows nothing protected", async ({ app, page, newTab, person }) => {
  await app.signIn(person);
  await page.evaluate(() => {
    window.fromMemory = false;
    window.addEventListener("pageshow", (event) => (window.fromMemory = event.persisted));
  });
  await page.goto(`${API}/healthz`);
  const second = await newTab();
  await second.open("/");
  await second.signOutButton.click();
  await second.expectSignedOut();

  await page.evaluate(() => history.back());
  await app.expectSignedOut();
  await expect(page.getByText(person.email)).toHaveCount(0);
  expect(await page.evaluate(() => window.fromMemory), "the page came from memory").toBe(true);
});

test("a page taken from memory reloads its content", async ({ api, app, page, person }) => {
  await app.signIn(person);
  const banner = page.getByText("Your email is not confirmed yet.");
  await expect(banner).toBeVisible();
  await page.evaluate(() => window.addEventListener("pageshow", (event) => (window.fromMemory = event.persisted)));
  await page.goto(`${API}/healthz`);
  await api.confirm({ token: (await linkTo("/verify-email", person.email)).split("token=")[1] });
  await page.evaluate(() => history.back());
  await expect(app.accountHeading).toBeVisible();
  await expect(banner).toHaveCount(0);
  expect(await page.evaluate(() => window.fromMemory), "the page came from memory").toBe(true);
});
