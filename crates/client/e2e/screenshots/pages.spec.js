// Screenshots of every page and of its other states, in light and dark, wide and narrow, for people to review. They test nothing.
import { writeFileSync } from "node:fs";
import { linkTo } from "../support/mail.js";
import { PAGES, addressOf, isForAdministrators, isProtected } from "../support/pages.js";
import { png } from "../support/pictures.js";
import { expect, test } from "../support/test.js";
import { VARIANTS, camera } from "./variants.js";

for (const variant of VARIANTS) {
  test(`every page, ${variant.name}`, async ({ api, app, page, person }) => {
    const capture = await camera(page, variant);
    const take = async (row) => {
      await app.open(addressOf(row));
      await expect(page.getByRole("heading", { level: 1, name: row.title, exact: true })).toBeVisible();
      await expect(page.locator(".loading")).toHaveCount(0);
      await capture(row.file);
    };
    for (const row of PAGES.filter((row) => !isProtected(row))) await take(row);
    await api.login(person, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1");
    await app.signIn(person);
    for (const row of PAGES.filter((row) => isProtected(row) && !isForAdministrators(row))) await take(row);
  });

  test(variant.name, async ({ api, app, page, context, person, watch }, info) => {
    watch.expectFailures(400, 401, "net::ERR_INTERNET_DISCONNECTED");
    const capture = await camera(page, variant);

    await app.open("/login");
    await app.fillSignIn({ ...person, password: "not-my-password-77" });
    await expect(app.alert).toBeVisible();
    await capture("login-failed");
    await app.open("/verify-email#token=made-up");
    await page.getByRole("button", { name: "Confirm email", exact: true }).click();
    await expect(app.alert).toBeVisible();
    await capture("verify-email-failed");
    await app.open("/change-email");
    await expect(app.alert).toBeVisible();
    await capture("change-email-incomplete");
    await app.open("/no/such/page");
    await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
    await capture("not-found");
    await app.signIn(person);
    await app.expectSignedIn(person);
    await api.confirm({ token: (await linkTo("/verify-email", person.email)).split("token=")[1] });
    await page.getByRole("button", { name: "Send the link again", exact: true }).click();
    await expect(page.getByRole("status")).toContainText("Your email is confirmed.");
    await capture("home-confirmed-elsewhere");
    await app.visit("Account");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect(page.getByRole("status")).toContainText("Nothing has changed");
    await capture("account-nothing-to-save");
    const picture = info.outputPath("me.png");
    writeFileSync(picture, png(64, [20, 160, 60]));
    await page.getByLabel("Picture", { exact: true }).setInputFiles(picture);
    writeFileSync(picture, png(65, [20, 160, 60]));
    await page.getByRole("button", { name: "Upload picture", exact: true }).click();
    await expect(app.alert).toBeVisible();
    await capture("account-picture-changed");
    await app.visitSessions();
    await app.accessExpires();
    await context.setOffline(true);
    await app.visit("Account");
    await app.visit("Sessions");
    await expect(app.notice).toBeVisible();
    await capture("offline");
  });
}
