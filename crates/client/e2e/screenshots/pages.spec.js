// Pictures of every page, in light and dark, wide and narrow. Not a test of anything: for people to look at.
import { expect, test } from "../support/test.js";
import { LOOKS, camera } from "./looks.js";

for (const look of LOOKS) {
  test(look.name, async ({ api, app, page, context, person, watch }) => {
    watch.expectFailures(400, 401, "net::ERR_INTERNET_DISCONNECTED");
    const keep = await camera(page, look);

    await app.open("/login");
    await expect(app.signInHeading).toBeVisible();
    await keep("login");
    await app.fillSignIn({ ...person, password: "not-my-password-77" });
    await expect(app.alert).toBeVisible();
    await keep("login-failed");
    await app.open("/register");
    await expect(page.getByRole("button", { name: "Create account", exact: true })).toBeVisible();
    await keep("register");
    await app.open("/forgot-password");
    await expect(page.getByRole("button", { name: "Send reset link", exact: true })).toBeVisible();
    await keep("forgot-password");
    await app.open("/reset-password#token=made-up");
    await expect(page.getByRole("button", { name: "Set password", exact: true })).toBeVisible();
    await keep("reset-password");
    await expect(page.getByText("seems to be missing")).toBeVisible();
    await app.open("/verify-email#token=made-up");
    await page.getByRole("button", { name: "Confirm email", exact: true }).click();
    await expect(app.alert).toBeVisible();
    await keep("verify-email-failed");
    await app.open("/change-email");
    await expect(app.alert).toBeVisible();
    await keep("change-email-incomplete");
    await app.open("/no/such/page");
    await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
    await keep("not-found");
    await api.login(person, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1");
    await app.signIn(person);
    await app.expectSignedIn(person);
    await keep("home");
    await app.visit("Account");
    await expect(page.getByRole("button", { name: "Save", exact: true })).toBeVisible();
    await keep("account");
    await app.visit("Security");
    await expect(page.getByRole("button", { name: "Change email", exact: true })).toBeVisible();
    await keep("security");
    await app.visitSessions();
    await keep("sessions");
    await app.accessExpires();
    await context.setOffline(true);
    await app.visit("Account");
    await app.visit("Sessions");
    await expect(app.notice).toBeVisible();
    await keep("offline");
  });
}
