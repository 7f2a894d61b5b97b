import { readFile } from "node:fs/promises";
import { expect, test } from "../support/test.js";

const button = (page, name) => page.getByRole("button", { name, exact: true });

async function openAccount(app, person) {
  await app.signIn(person);
  await app.visit("Account");
  await expect(button(app.page, "Delete account")).toBeVisible();
}

test("deleting the account signs out everywhere, says so, and allows a new sign-up", async ({ api, app, newDevice, page, person }) => {
  const elsewhere = await newDevice({}, [401]);
  await elsewhere.signIn(person);
  await openAccount(app, person);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await button(page, "Delete account").click();

  await app.expectSignedOut();
  await expect(page).toHaveURL(/\/login$/);
  await expect(page.getByText("Your account is deleted")).toBeVisible();
  await elsewhere.visit("Sessions");
  await elsewhere.expectSignedOut();
  await app.open("/register");
  await page.getByLabel("Email", { exact: true }).fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await button(page, "Create account").click();
  await app.expectSignedIn(person);
  await api.login(person);
});

test("a wrong password is reported at its field, and the account stays", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(400);
  await openAccount(app, person);
  const password = page.getByLabel("Password", { exact: true });
  await button(page, "Delete account").click();
  await expect(password).toBeFocused();
  await password.fill("not-my-password-77");
  await button(page, "Delete account").click();
  await expect(password).toHaveAttribute("aria-invalid", "true");
  await expect(password).toHaveAccessibleDescription(/incorrectly/);
  await api.login(person);
});

test("a person's data is downloaded as a file", async ({ app, page, person }) => {
  await openAccount(app, person);
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download your data").click()]);
  expect(download.suggestedFilename()).toBe("latchkey-export.json");
  const stored = JSON.parse(await readFile(await download.path(), "utf8"));
  expect(stored.user.email).toBe(person.email);
  expect(stored.sessions.length).toBeGreaterThan(0);
});
