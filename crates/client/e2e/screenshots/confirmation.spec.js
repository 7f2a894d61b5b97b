// Screenshots of the pages of a sign-up whose address must be confirmed first.
import { randomBytes } from "node:crypto";
import { PASSWORD } from "../support/api.js";
import { linkTo } from "../support/mail.js";
import { expect, test } from "../support/test.js";
import { VARIANTS, camera } from "./variants.js";

test.use({ stage: "confirming" });

for (const variant of VARIANTS) {
  test(variant.name, async ({ api, app, page }) => {
    const capture = await camera(page, variant);
    const [email, other] = [1, 2].map(() => `grace-${randomBytes(6).toString("hex")}@example.com`);
    await app.open("/register");
    await page.getByLabel("Email", { exact: true }).fill(email);
    await app.password.fill(PASSWORD);
    await page.getByRole("button", { name: "Create account", exact: true }).click();
    await expect(app.alert).toBeVisible();
    await capture("register-waiting");
    await app.open(await linkTo("/verify-email", email));
    await expect(page.getByRole("button", { name: "I did not sign up", exact: true })).toBeVisible();
    await capture("verify-email");
    await page.getByRole("button", { name: "Confirm email", exact: true }).click();
    await expect(app.alert).toBeVisible();
    await capture("verify-email-signed-in");
    await api.signUp({ email: other });
    // A link that differs only in its fragment would not reload the page.
    await app.open("/no/such/page");
    await app.open(await linkTo("/verify-email", other));
    await page.getByRole("button", { name: "I did not sign up", exact: true }).click();
    await expect(app.alert).toBeVisible();
    await capture("verify-email-rejected");
  });
}
