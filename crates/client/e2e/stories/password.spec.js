import { linkTo } from "../support/mail.js";
import { expect, test } from "../support/test.js";

const NEW_PASSWORD = "copper-meadow-77-lighthouse";

const button = (page, name) => page.getByRole("button", { name, exact: true });

test("a forgotten password is replaced by a mailed link", async ({ app, page, person, newDevice, watch }) => {
  watch.expectFailures(401);
  const elsewhere = await newDevice({}, [401]);
  await elsewhere.signIn(person);
  await app.open("/login");
  await page.getByRole("link", { name: "Forgot password?", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Forgot password", exact: true })).toBeVisible();
  await page.getByLabel("Email", { exact: true }).fill(person.email);
  await button(page, "Send reset link").click();
  await expect(app.alert).toContainText(/mail/i);

  await app.open(await linkTo("/reset-password", person.email));
  await expect(page.getByRole("heading", { name: "Choose a new password", exact: true })).toBeVisible();
  // The token has left the address bar.
  await expect(page).toHaveURL(/\/reset-password$/);
  await page.getByLabel("New password", { exact: true }).fill(NEW_PASSWORD);
  await button(page, "Set password").click();
  await expect(app.alert).toContainText(/signed out/i);

  await app.signIn({ ...person, password: NEW_PASSWORD });
  await elsewhere.visit("Sessions");
  await elsewhere.expectSignedOut();
});

test("an address without an account gets the same message", async ({ app, page }) => {
  await app.open("/forgot-password");
  await page.getByLabel("Email", { exact: true }).fill("nobody-at-all@example.com");
  await button(page, "Send reset link").click();
  await expect(app.alert).toContainText("If there is an account with this email");
});

test("a link works once, and an invalid link is refused", async ({ app, page, person, watch }) => {
  watch.expectFailures(400);
  await app.open("/forgot-password");
  await page.getByLabel("Email", { exact: true }).fill(person.email);
  await button(page, "Send reset link").click();
  await expect(app.alert).toBeVisible();
  const link = await linkTo("/reset-password", person.email);
  const spent = [[link, /does not work any more/], ["/reset-password#token=made-up", /does not work any more/]];
  for (const [index, [path, message]] of [[link, /is set/], ...spent].entries()) {
    await app.open("/");
    await app.open(path);
    // The same password would count as a repetition of the same step.
    await page.getByLabel("New password", { exact: true }).fill(`${NEW_PASSWORD} ${index}`);
    await button(page, "Set password").click();
    await expect(app.alert).toContainText(message);
  }
  await app.open("/");
  await app.open("/reset-password");
  await expect(app.alert).toContainText(/not complete/);
});

test("changing the password keeps this device and signs out the others", async ({ api, app, page, person, newDevice }) => {
  const elsewhere = await newDevice({}, [401]);
  await elsewhere.signIn(person);
  await app.signIn(person);
  await app.visit("Security");
  await expect(page.getByRole("heading", { name: "Security", exact: true })).toBeVisible();
  await page.getByLabel("Current password", { exact: true }).fill(person.password);
  await page.getByLabel("New password", { exact: true }).fill(NEW_PASSWORD);
  await button(page, "Change password").click();
  await expect(page.getByRole("status")).toContainText("Your password is changed");

  await app.visit("Account");
  await expect(button(page, "Save")).toBeVisible();
  await elsewhere.visit("Sessions");
  await elsewhere.expectSignedOut();
  await api.login({ ...person, password: NEW_PASSWORD });
});

test("a wrong current password is reported at its field", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(400);
  await app.signIn(person);
  await app.visit("Security");
  const current = page.getByLabel("Current password", { exact: true });
  await current.fill("not-my-password-77");
  await page.getByLabel("New password", { exact: true }).fill(NEW_PASSWORD);
  await button(page, "Change password").click();
  await expect(current).toHaveAttribute("aria-invalid", "true");
  await expect(current).toHaveAccessibleDescription(/.+/);
  await api.login(person);
});
