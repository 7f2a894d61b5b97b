// The server's settings: whether it accepts new accounts, and its rules for passwords.
import { API } from "../support/addresses.js";
import { expect, test } from "../support/test.js";

const CONFIG = `${API}/api/auth/config/`;
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

test("the settings are requested once for all pages", async ({ app, page, person }) => {
  const requests = app.record(CONFIG, "GET");
  await app.open("/login");
  await page.getByRole("link", { name: "Create account", exact: true }).click();
  await expect(page.getByRole("button", { name: "Create account", exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await app.fillSignIn(person);
  await app.expectSignedIn(person);
  await app.visit("Security");
  await expect(page.getByText("At least 8 characters.")).toBeVisible();
  expect(requests).toHaveLength(1);
});

test("a page that cannot load the settings shows its form, and requests them again", async ({ app, page, watch }) => {
  watch.expectFailures(503);
  let isDown = true;
  await page.route(CONFIG, (route) => (isDown ? route.fulfill({ status: 503, body: "" }) : route.continue()));
  await app.open("/register");
  await expect(page.getByRole("button", { name: "Create account", exact: true })).toBeVisible();
  const response = page.waitForResponse((response) => response.url() === CONFIG && response.ok());
  isDown = false;
  await response;
});

test.describe("with longer passwords", () => {
  test.use({ stage: "confirming" });

  for (const [path, label, button] of [
    ["/register", "Password", "Create account"],
    ["/reset-password#token=made-up", "New password", "Set password"],
  ]) {
    test(`${path} reports a password that breaks the rules at its field, and sends nothing`, async ({ app, page }) => {
      await app.open(path);
      await expect(page.getByText("At least 12 characters.")).toBeVisible();
      const sent = [];
      page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
      if (path === "/register") await page.getByLabel("Email", { exact: true }).fill("grace@example.com");
      const field = page.getByLabel(label, { exact: true });
      for (const [password, message] of [["elevenchars", "at least 12 characters"], ["x".repeat(257), "at most 256 characters"]]) {
        await field.fill(password);
        await press(page, button);
        await expect(field).toHaveAttribute("aria-invalid", "true");
        await expect(field).toHaveAccessibleDescription(new RegExp(message));
        await expect(field).toBeFocused();
      }
      expect(sent).toEqual([]);
    });
  }
});

test.describe("where registration is closed", () => {
  test.use({ stage: "closed" });

  test("no link leads to the sign-up page, which says so and has no form", async ({ app, page }) => {
    const response = page.waitForResponse(CONFIG);
    await app.open("/login");
    await response;
    await expect(page.getByRole("link", { name: "Forgot password?", exact: true })).toBeVisible();
    await expect(page.getByRole("link", { name: "Create account", exact: true })).toHaveCount(0);
    await app.open("/register");
    await expect(app.alert).toHaveText("New accounts are not accepted at the moment.");
    await expect(page.locator("form, input")).toHaveCount(0);
    await expect(page.getByRole("button", { name: "Create account", exact: true })).toHaveCount(0);
    await page.getByRole("link", { name: "Sign in", exact: true }).click();
    await expect(app.signInHeading).toBeVisible();
  });
});
