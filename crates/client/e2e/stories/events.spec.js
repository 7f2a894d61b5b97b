import { expect, test } from "../support/test.js";

const MACINTOSH = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15";

const events = (page) => page.getByRole("listitem").filter({ has: page.locator("time") });
const showMore = (page) => page.getByRole("button", { name: "Show more", exact: true });

test("the account's events are listed in plain words, newest first", async ({ api, app, page, person }) => {
  await api.login(person, MACINTOSH);
  const { access } = await api.login(person, MACINTOSH);
  await api.rename(access, "Ada");
  await app.signIn(person);
  await app.visit("Security");
  await expect(page.getByRole("heading", { name: "Recent events", exact: true })).toBeVisible();
  await expect(events(page).nth(0)).toContainText("Signed in");
  await expect(events(page).nth(1)).toContainText("The profile was changed");
  await expect(events(page).nth(2)).toContainText("Safari on macOS");
  await expect(events(page).last()).toContainText("Account created");
  await expect(showMore(page)).toHaveCount(0);
});

test("older events are shown on demand, and get the focus", async ({ api, app, page, person }) => {
  const { access } = await api.login(person);
  for (let i = 0; i < 22; i += 1) await api.rename(access, `Ada ${i}`);
  await app.signIn(person);
  await app.visit("Security");
  await expect(events(page)).toHaveCount(20);
  await showMore(page).click();
  await expect(showMore(page)).toHaveCount(0);
  await expect(events(page).nth(20)).toBeFocused();
  await expect(events(page).last()).toContainText("Account created");
});
