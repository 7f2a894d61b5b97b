import { randomBytes } from "node:crypto";
import { linkTo } from "../support/mail.js";
import { expect, test } from "../support/test.js";

const confirm = async (app, page) => {
  await page.getByRole("button", { name: "Confirm email", exact: true }).click();
  await expect(app.alert).toBeVisible();
};

test("a new account's address is confirmed by a button, not by opening the link", async ({ api, app, page, person }) => {
  const link = await linkTo("/verify-email", person.email);
  const { user } = await api.login(person);
  await app.open(link);
  await expect(page.getByRole("heading", { name: "Confirm your email", exact: true })).toBeVisible();
  await expect(page).toHaveURL(/\/verify-email$/);
  expect([user.email_verified, (await api.login(person)).user.email_verified]).toEqual([false, false]);
  await confirm(app, page);
  await expect(app.alert).toContainText("is confirmed");
  expect((await api.login(person)).user.email_verified).toBe(true);
});

test("an account whose address is not confirmed offers the link again", async ({ app, page, person }) => {
  await app.signIn(person);
  await page.getByRole("button", { name: "Send the link again", exact: true }).click();
  await expect(page.getByRole("status")).toContainText("on its way");
});

test("the address changes when the new one is confirmed", async ({ api, app, page, person }) => {
  const email = `grace-${randomBytes(6).toString("hex")}@example.com`;
  await app.signIn(person);
  await app.visit("Security");
  await page.getByLabel("New email", { exact: true }).fill(email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Change email", exact: true }).click();
  await expect(page.getByRole("status")).toContainText("new address");
  await api.login(person);

  const link = await linkTo("/change-email", email);
  await app.open(link);
  await expect(page.getByRole("heading", { name: "Confirm your new email", exact: true })).toBeVisible();
  await confirm(app, page);
  expect((await api.login({ ...person, email })).user).toMatchObject({ email, email_verified: true });
});

test("an unwanted change of address is cancelled by its link", async ({ api, app, page, person }) => {
  const email = `grace-${randomBytes(6).toString("hex")}@example.com`;
  await app.signIn(person);
  await app.visit("Security");
  await page.getByLabel("New email", { exact: true }).fill(email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Change email", exact: true }).click();
  await app.open(await linkTo("/change-email", email));
  await page.getByRole("button", { name: "I did not ask for this", exact: true }).click();
  await expect(app.alert).toContainText("cancelled");
  expect((await api.login(person)).user.email).toBe(person.email);
});

test("a person who did not sign up deletes the account created with their address", async ({ app, page, person, watch }) => {
  await app.open(await linkTo("/verify-email", person.email));
  await page.getByRole("button", { name: "I did not sign up", exact: true }).click();
  await expect(app.alert).toContainText("no account has your email");
  watch.expectFailures(401);
  await app.open("/login");
  await app.fillSignIn(person);
  await expect(app.alert).toBeVisible();
});
