import { randomBytes } from "node:crypto";
import { PASSWORD } from "../support/api.js";
import { linkTo, mailsTo } from "../support/mail.js";
import { expect, test } from "../support/test.js";

test.use({ stage: "confirming" });

const REGISTRATION = "latchkey.registration";
const newAddress = () => `grace-${randomBytes(6).toString("hex")}@example.com`;
const storedRegistration = (page) => page.evaluate((key) => localStorage.getItem(key), REGISTRATION);
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** Signs up on the page. */
async function signUp(app, email) {
  await app.open("/register");
  await app.page.getByLabel("Email", { exact: true }).fill(email);
  await app.password.fill(PASSWORD);
  await press(app.page, "Create account");
  await expect(app.alert).toContainText("sent you a mail");
}

test("the link signs in the browser that signed up, also in another tab", async ({ app, newTab }) => {
  const email = newAddress();
  await signUp(app, email);
  const tab = await newTab();
  await tab.open(await linkTo("/verify-email", email));
  await press(tab.page, "Confirm email");
  await expect(tab.alert).toContainText("you are signed in");
  await tab.page.getByRole("link", { name: "Go to your account", exact: true }).click();
  await expect(tab.accountHeading).toBeVisible();
  await expect(tab.page.getByText(email).first()).toBeVisible();
  expect(await storedRegistration(tab.page)).toBe(null);
  // The tab in which the person signed up is signed in, too.
  await app.open("/");
  await expect(app.accountHeading).toBeVisible();
});

test("another browser confirms and goes to the sign-in page", async ({ app, newDevice }) => {
  const email = newAddress();
  await signUp(app, email);
  const device = await newDevice();
  await device.open(await linkTo("/verify-email", email));
  await press(device.page, "Confirm email");
  await expect(device.alert).toContainText("is confirmed");
  await device.page.getByRole("link", { name: "Go to your account", exact: true }).click();
  await device.fillSignIn({ email });
  await expect(device.accountHeading).toBeVisible();
});

test("a person who did not sign up rejects the account", async ({ app, newDevice, watch }) => {
  const email = newAddress();
  await signUp(app, email);
  const device = await newDevice();
  await device.open(await linkTo("/verify-email", email));
  await press(device.page, "I did not sign up");
  await expect(device.alert).toContainText("no account has your email");
  watch.expectFailures(401);
  await app.open("/login");
  await app.fillSignIn({ email });
  await expect(app.alert).toBeVisible();
});

test("a username that was taken meanwhile is reported", async ({ api, app, page }) => {
  const [email, other, username] = [newAddress(), newAddress(), `name-${randomBytes(6).toString("hex")}`];
  const registration = await api.signUp({ email, username });
  await api.signUp({ email: other, username });
  const token = (await linkTo("/verify-email", other)).split("=")[1];
  expect((await api.confirm({ token })).status).toBe(200);

  await app.open("/login");
  await page.evaluate(([key, value]) => localStorage.setItem(key, JSON.stringify(value)), [REGISTRATION, registration]);
  await app.open(await linkTo("/verify-email", email));
  await press(page, "Confirm email");
  await expect(app.alert).toContainText("took your username");
  await app.open("/");
  await expect(app.accountHeading).toBeVisible();
});

test("the link can be mailed again, and signing out removes the stored registration", async ({ app, page }) => {
  const email = newAddress();
  await signUp(app, email);
  const first = await linkTo("/verify-email", email);
  await press(page, "Send the link again");
  await expect(page.getByRole("status")).toContainText("on its way");
  await expect.poll(() => mailsTo(email).length).toBe(2);
  expect(await linkTo("/verify-email", email)).toBe(first);
  await app.open(first);
  await press(page, "Confirm email");
  await expect(app.alert).toContainText("you are signed in");
  await page.evaluate((key) => localStorage.setItem(key, '"left"'), REGISTRATION);
  await app.open("/");
  await app.signOutButton.click();
  await expect(app.signInHeading).toBeVisible();
  expect(await storedRegistration(page)).toBe(null);
});
