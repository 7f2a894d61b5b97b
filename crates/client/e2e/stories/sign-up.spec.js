import { randomBytes } from "node:crypto";
import { PASSWORD } from "../support/api.js";
import { expect, test } from "../support/test.js";

const newAddress = () => `grace-${randomBytes(6).toString("hex")}@example.com`;

test("signing up creates an account and signs in", async ({ api, app, page }) => {
  const email = newAddress();
  await app.open("/login");
  await page.getByRole("link", { name: "Create account", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Create account", exact: true })).toBeVisible();
  await page.getByLabel("Email", { exact: true }).fill(email);
  await app.password.fill(PASSWORD);
  await page.getByRole("button", { name: "Create account", exact: true }).click();

  await app.expectSignedIn({ email });
  expect((await api.login({ email, password: PASSWORD })).user.email).toBe(email);
});

test("signing up with a taken address is refused, and does not change the password", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(409);
  await app.open("/register");
  await page.getByLabel("Email", { exact: true }).fill(person.email.toUpperCase());
  await app.password.fill("a-different-passphrase-9");
  await page.getByRole("button", { name: "Create account", exact: true }).click();

  await expect(app.alert.or(page.getByText(/already/i)).first()).toBeVisible();
  await expect(page).toHaveURL(/\/register/);
  await api.login(person);
});

test("a weak password is refused with a reason next to the field", async ({ app, page, watch }) => {
  watch.expectFailures(400);
  const email = newAddress();
  await app.open("/register");
  await page.getByLabel("Email", { exact: true }).fill(email);
  await app.password.fill("password");
  await page.getByRole("button", { name: "Create account", exact: true }).click();

  await expect(app.password).toHaveAttribute("aria-invalid", "true");
  await expect(app.password).toHaveAccessibleDescription(/.+/);
  expect(await app.tokens()).toEqual({});
});

test("fields have the attributes that password managers use", async ({ app, page }) => {
  await app.open("/register");
  await expect(page.getByLabel("Email", { exact: true })).toHaveAttribute("autocomplete", "email");
  await expect(app.password).toHaveAttribute("autocomplete", "new-password");
  await app.open("/login");
  await expect(app.identifier).toHaveAttribute("autocomplete", "username");
  await expect(app.password).toHaveAttribute("autocomplete", "current-password");
  await expect(app.password).toHaveAttribute("type", "password");
});
