// Accessibility: by keyboard, with a screen reader, on a narrow screen, in light and in dark.
import AxeBuilder from "@axe-core/playwright";
import { CLIENT } from "../support/addresses.js";
import { PAGES, addressOf, isProtected } from "../support/pages.js";
import { expect, test } from "../support/test.js";

const ALL = [...PAGES, { path: "/nowhere", title: "Page not found", audience: "Everybody" }];

/** Opens a page and waits until it is loaded. */
async function show(app, path, person) {
  const row = ALL.find((candidate) => candidate.path === path);
  if (isProtected(row)) await app.signIn(person);
  await app.open(addressOf(row));
  await expect(app.page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(app.page.locator(".loading")).toHaveCount(0);
}

for (const { path } of ALL) {
  for (const colorScheme of ["light", "dark"]) {
    test(`${path} in ${colorScheme} has no serious violation that axe finds`, async ({ app, page, person }) => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await show(app, path, person);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    });
  }

  test(`${path} fits a screen 320 px wide`, async ({ app, page, person }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await show(app, path, person);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  });

  test(`${path} has one main element, one first-level heading, a title and a language`, async ({ app, page, person }) => {
    await show(app, path, person);
    await expect(page.getByRole("main")).toHaveCount(1);
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    await expect(page).toHaveTitle(/.*Latchkey.*/);
    await expect(page.locator("html")).toHaveAttribute("lang", "en");
  });
}

test("a failed sign-in has no serious violation that axe finds", async ({ app, page, person, watch }) => {
  watch.expectFailures(401);
  await app.open("/login");
  await app.fillSignIn({ ...person, password: "not-my-password-77" });
  await expect(app.alert).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
});

test("an unknown path shows a page of its own, with a link back", async ({ app, page }) => {
  await app.open("/no/such/page");
  await expect(page.getByRole("heading", { name: "Page not found", exact: true })).toBeVisible();
  await page.getByRole("main").getByRole("link").first().click();
  await expect(app.signInHeading).toBeVisible();
});

/** Presses Tab until `target` has the focus. */
async function tabTo(page, target) {
  for (let presses = 0; presses < 25; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${target}`);
}

test("everything works by keyboard", async ({ api, app, page, person }) => {
  const other = await api.login(person);
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  await tabTo(page, app.identifier);
  await page.keyboard.type(person.email);
  await tabTo(page, app.password);
  await page.keyboard.type(person.password);
  await page.keyboard.press("Enter");
  await app.expectSignedIn(person);

  const entry = page.getByRole("navigation").getByRole("link", { name: "Sessions", exact: true });
  await tabTo(page, entry);
  const outline = await entry.evaluate((element) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  });
  expect(outline, "the focus is visible").toBe(true);
  await page.keyboard.press("Enter");
  await expect(app.signOutDevice).toHaveCount(2);

  await tabTo(page, app.signOutEverywhere);
  await page.keyboard.press("Enter");
  await app.expectSignedOut();
  await expect.poll(() => api.meStatus(other.access)).toBe(401);

  const link = page.getByRole("link", { name: "Create account", exact: true });
  await tabTo(page, link);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${CLIENT}/register`);
});
