// Screenshots of the messages that the pages show when something fails.
import { API, CLIENT } from "../support/addresses.js";
import { REFRESH, SESSIONS } from "../support/app.js";
import { linkTo } from "../support/mail.js";
import { file } from "../support/pictures.js";
import { expect, test } from "../support/test.js";
import { VARIANTS, camera } from "./variants.js";

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const field = (page, name) => page.getByLabel(name, { exact: true });
const cors = { "access-control-allow-origin": CLIENT, "access-control-allow-credentials": "true" };
const refusal = (status, reason) => ({
  status,
  headers: { ...cors, "content-type": "application/problem+json" },
  body: JSON.stringify({ code: "token_not_valid", reason }),
});

for (const variant of VARIANTS) {
  test(`${variant.name}: sessions and sign-outs`, async ({ app, page, context, person, watch }) => {
    watch.expectFailures(401, 403, "net::ERR_INTERNET_DISCONNECTED");
    const capture = await camera(page, variant);
    await app.signIn(person);
    await page.route(SESSIONS, async (route) => {
      const response = await route.fetch();
      if (!response.ok()) return route.fulfill({ response });
      const [one] = await response.json();
      const ids = Array.from({ length: 60 }, (_, i) => one.id.replace(/..$/, String(i + 10))).filter((id) => id !== one.id);
      const others = ids.slice(0, 59).map((id) => ({ ...one, current: false, id }));
      return route.fulfill({ status: 200, headers: cors, json: [one, ...others] });
    });
    await app.visitSessions();
    await capture("sessions-many");
    await press(page, "Show more");
    await expect(app.signOutDevice).toHaveCount(40);
    await capture("sessions-more");
    await context.setOffline(true);
    await app.signOutEverywhere.click();
    await expect(app.alert).toBeVisible();
    await capture("sign-out-everywhere-offline");
    await app.signOutButton.click();
    await app.expectSignInPage();
    await capture("sign-out-offline");
    await page.route("**/api/auth/logout/", (route) => route.abort("connectionreset"));
    await context.setOffline(false);
    watch.expectFailures("net::ERR_CONNECTION_RESET");
    await expect(page.getByRole("status")).toContainText("Signing out is not finished", { timeout: 30_000 }); // after earlier retries
    await capture("sign-out-unheard");
  });

  for (const [status, reason] of [[401, "key_unknown"], [401, "session_revoked"], [401, "refresh_reused"]]) {
    test(`${variant.name}: ${reason}`, async ({ app, page, person, watch }) => {
      watch.expectFailures(status);
      const capture = await camera(page, variant);
      await app.signIn(person);
      await page.route(REFRESH, (route) => route.fulfill(refusal(status, reason)));
      await app.accessExpires();
      await app.visit("Sessions");
      const message = page.getByText(/waking|takes longer|has ended|two places/i).first();
      await expect(message).toBeVisible();
      await capture(reason);
    });
  }

  test(`${variant.name}: forms`, async ({ app, page, person, watch }) => {
    watch.expectFailures(400, 409);
    const capture = await camera(page, variant);
    await app.open("/register");
    await field(page, "Email").fill("ada\u200bx@example.com");
    await app.password.fill("short");
    await press(page, "Create account");
    await capture("register-invisible");
    const link = await linkTo("/verify-email", person.email);
    await app.open(link.slice(0, -7));
    await expect(page.getByText("seems to be missing")).toBeVisible();
    await capture("verify-email-cut");
    await page.goto("about:blank");
    await app.open(`${link.replace("#", "%23")}.`);
    await capture("verify-email-encoded");
    for (let presses = 0; presses < 2; presses += 1) {
      await press(page, "Confirm email");
      await expect(app.alert).toContainText("confirmed");
      await capture(presses ? "verify-email-again" : "verify-email-done");
      await page.goto("about:blank");
      await app.open(link);
    }
    await app.signIn(person);
    await app.visit("Account");
    await field(page, "Display name").fill("Ada\u202eevil");
    await field(page, "Username").fill("a\u00adda");
    await press(page, "Save");
    await expect(app.alert).toBeVisible();
    await capture("account-invisible");
    await field(page, "Picture").setInputFiles(file("me.png", "image/png", Buffer.from("no picture at all")));
    await press(page, "Upload picture");
    await expect(page.locator(".field-error").first()).toBeVisible();
    await capture("picture-refused");
    await app.visit("Security");
    await field(page, "Current password").fill("not-my-password-77");
    await field(page, "New password").fill("copper-meadow-77-lighthouse");
    await press(page, "Change password");
    await expect(app.alert).toBeVisible();
    await capture("password-refused");
    await page.route(`${API}/api/auth/password/change/`, async (route) => {
      await route.fetch();
      await route.abort("connectionreset");
    }, { times: 1 });
    watch.expectFailures("net::ERR_CONNECTION_RESET");
    await field(page, "Current password").fill(person.password);
    await press(page, "Change password");
    await expect(page.getByRole("status")).toContainText("is changed");
    await capture("password-changed-again");
  });
}

test.describe("with cookies", () => {
  test.use({ stage: "cookie" });

  for (const variant of VARIANTS) {
    test(`${variant.name}: csrf_failed`, async ({ app, context, page, person, watch }) => {
      watch.expectFailures(403);
      const capture = await camera(page, variant);
      await app.signIn(person);
      await context.clearCookies({ name: "csrf_token" });
      await page.reload();
      await app.expectSignedOut();
      await capture("csrf-failed");
    });
  }
});
