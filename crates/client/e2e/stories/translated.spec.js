// A page that the browser translates: its text nodes are replaced with elements, and new text must still be visible.
import { ME } from "../support/app.js";
import { hold, intercept } from "../support/intercept.js";
import { linkTo } from "../support/mail.js";
import { file, png } from "../support/pictures.js";
import { expect, test } from "../support/test.js";
import { translate } from "../support/translation.js";

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const field = (page, name) => page.getByLabel(name, { exact: true });
const notice = (page) => page.getByRole("status");

test.beforeEach(({ context }) => context.addInitScript(translate));

/** The page is translated: all its text is in the translation's elements. */
async function expectTranslated(page) {
  await expect(page.locator("h1 font font")).toBeVisible();
  await expect(page.locator(':is(p, h1, h2, a, label, button, dt, dd, time, .avatar):not(:empty):not(:has(font, svg, p, br, a, input))')).toHaveCount(0);
}

test("each wrong field shows its current error", async ({ app, page, person, watch }) => {
  watch.expectFailures(401, 409);
  await app.open("/register");
  await expectTranslated(page);
  await press(page, "Create account");
  await expect(page.locator(".field-error").first()).toHaveText("This field is required.");
  await field(page, "Email").fill("ada");
  await press(page, "Create account");
  await expect(page.locator(".field-error").first()).not.toHaveText("This field is required.");
  await expect(page.locator(".field-error").first()).toContainText("email address");
  await expect(app.alert).toHaveText("Please check what you entered.");
  await field(page, "Email").fill(person.email);
  await field(page, "Password").fill(person.password);
  await press(page, "Create account");
  await expect(app.alert).toContainText("There is an account with this email already.");
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await expectTranslated(page);
  await app.fillSignIn({ ...person, password: "not-my-password-77" });
  await expect(app.alert).toContainText("is not right");
  await app.password.fill("");
  await app.signInButton.click();
  await expect(app.alert).toHaveText("Please check what you entered.");
});

test("names, initials and notices are current", async ({ app, page, person, context, watch }) => {
  watch.expectFailures("net::ERR_INTERNET_DISCONNECTED");
  await app.signIn(person);
  await expectTranslated(page);
  await app.visit("Account");
  await expectTranslated(page);
  for (const name of ["Ada Lovelace", "Grace Hopper"]) {
    await field(page, "Display name").fill(name);
    await press(page, "Save");
    await expect(notice(page)).toHaveText("Your profile is saved.");
    await expect(page.locator("main .avatar")).toHaveText(name.replace(/[a-z ]/g, ""));
    await page.locator("header a.home").click();
    await expect(page.locator(".greeting")).toHaveText(`Hello, ${name}`);
    await app.visit("Account");
  }
  await press(page, "Save");
  await field(page, "Picture").setInputFiles(file("me.png", "image/png", png(64, [20, 160, 60])));
  await press(page, "Upload picture");
  await expect(notice(page)).toHaveText("Your picture is saved.");
  await press(page, "Remove picture");
  await expect(notice(page)).toHaveText("Your picture is removed.");
  await expect(page.locator("main .avatar")).toHaveText("GH");
  await context.setOffline(true);
  await expect(notice(page)).toContainText("You are offline.");
  await press(page, "Download your data");
  await expect(app.alert).toContainText("The server cannot be reached.");
  await context.setOffline(false);
  await expect(notice(page)).not.toContainText("You are offline.");
  await press(page, "Download your data");
  await expect(app.alert).toHaveCount(0);
});

test("a button keeps its name while it waits, and a list loses removed entries", async ({ api, app, page, person }) => {
  await api.login(person, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15");
  await app.signIn(person);
  await app.visit("Account");
  const saved = await hold(page, ME, "PATCH");
  await field(page, "Display name").fill("Ada");
  await press(page, "Save");
  await saved.requested;
  const save = page.getByRole("button", { name: "Save", exact: true });
  await expect(save).toHaveAttribute("aria-busy", "true");
  saved.release();
  await expect(save).not.toHaveAttribute("aria-busy");
  await expect(save).toHaveText("Save");
  await app.visitSessions();
  await expectTranslated(page);
  await expect(page.getByText("Safari on macOS")).toBeVisible();
  await page.getByRole("listitem").filter({ hasText: "Safari on macOS" }).getByRole("button").click();
  await expect(notice(page)).toHaveText("The device is signed out.");
  await expect(page.getByText("Safari on macOS")).toHaveCount(0);
  await expect(app.signOutDevice).toHaveCount(1);
});

test("loaded content replaces the loading message", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(503);
  const { access } = await api.login(person);
  for (let i = 0; i < 22; i += 1) await api.rename(access, `Ada ${i}`);
  await app.signIn(person);
  const recover = await intercept(page, /\/api\/auth\/events\//, (route) => route.fulfill({ status: 503, body: "" }));
  await app.visit("Security");
  await expect(page.getByText("This takes longer than usual.")).toBeVisible();
  recover();
  await press(page, "Try again");
  await expect(page.getByText("This takes longer than usual.")).toHaveCount(0);
  await expect(page.locator(".event")).toHaveCount(20);
  await expectTranslated(page);
  await press(page, "Show more");
  await expect(page.locator(".event").last()).toContainText("Account created");
  await expectTranslated(page);
});

test("the next mailed link clears the result of the previous one", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(400);
  const other = await api.register();
  const follow = (link) => page.evaluate((address) => (location.href = address), link);
  await app.open(await linkTo("/verify-email", person.email));
  await press(page, "Confirm email");
  await expect(app.alert).toHaveText("Thank you: your email is confirmed.");
  await expectTranslated(page);
  await follow("/verify-email#token=made-up");
  await press(page, "Confirm email");
  await expect(app.alert).toHaveText("This link does not work any more.");
  await follow(await linkTo("/verify-email", other.email));
  await expect(app.alert).toHaveCount(0);
  await press(page, "I did not sign up");
  await expect(app.alert).toBeVisible();
});
