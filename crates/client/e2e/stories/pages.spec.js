// Requirements of every page in the table of pages, including those of features.
import { CLIENT } from "../support/addresses.js";
import { PAGES, addressOf, isForAdministrators, isProtected } from "../support/pages.js";
import { expect, test } from "../support/test.js";

/** Ids that two elements of the document share, and labels without a field of their own. */
function ambiguities() {
  const all = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  const duplicates = all.filter((id, index) => all.indexOf(id) < index);
  const labels = [...document.querySelectorAll("label")].filter((label) => !label.parentElement.contains(label.control));
  return [...duplicates, ...labels.map(({ textContent }) => textContent)];
}

const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });
const entries = PAGES.filter(({ entry }) => entry);

for (const row of PAGES) {
  test(`${row.path} has its heading, and the document has its name`, async ({ app, page, person }) => {
    if (isProtected(row)) await app.signIn(person);
    await app.open(addressOf(row));
    // The person here is not an administrator.
    const title = isForAdministrators(row) ? "Page not found" : row.title;
    await expect(heading(page, title)).toBeVisible();
    await expect(page).toHaveTitle(`${title} · Latchkey`);
    await expect(page.locator(".loading")).toHaveCount(0);
    expect(await page.evaluate(ambiguities), "ids and labels").toEqual([]);
  });
}

for (const row of PAGES.filter(isForAdministrators)) {
  test(`${row.path} is available to an administrator`, async ({ app, page, administrator }) => {
    await app.signIn(administrator);
    await app.open(addressOf(row));
    await expect(heading(page, row.title)).toBeVisible();
  });
}

for (const row of PAGES.filter(isProtected)) {
  test(`without a session, ${row.path} leads to the sign-in page`, async ({ app, page }) => {
    await app.open(addressOf(row));
    await expect(app.signInHeading).toBeVisible();
    await expect(page).toHaveURL(`${CLIENT}/login?next=${encodeURIComponent(addressOf(row))}`);
    await expect(heading(page, row.title)).toHaveCount(0);
  });
}

for (const row of PAGES.filter(({ audience }) => audience === "Visitors")) {
  test(`a signed-in user is redirected from ${row.path}`, async ({ app, page, person }) => {
    await app.signIn(person);
    await app.open(addressOf(row));
    await app.expectSignedIn(person);
    await expect(page).toHaveURL(`${CLIENT}/`);
  });
}

async function expectEntries(app, page, seen) {
  const links = page.getByRole("navigation").getByRole("link");
  await expect(links).toHaveText(seen.map(({ entry }) => entry));
  for (const { entry, path, title } of seen) {
    await app.visit(entry);
    await expect(heading(page, title)).toBeVisible();
    await expect(page).toHaveURL(CLIENT + path);
    await expect(page.getByRole("navigation").getByRole("link", { name: entry, exact: true })).toHaveAttribute("aria-current", "page");
  }
}

test("the navigation has the entries of the table, in its order, and each leads to its page", async ({ app, page, person }) => {
  await app.signIn(person);
  await expectEntries(app, page, entries.filter((row) => !isForAdministrators(row)));
});

test("an administrator sees the entries of all pages", async ({ api, app, page, administrator }) => {
  expect((await api.userOf(administrator)).role).toBe("admin");
  await app.signIn(administrator);
  await expectEntries(app, page, entries);
});
