// Mail programs and chats change links: they encode the `#`, cut the link, or include the characters after it.
import { API } from "../support/addresses.js";
import { linkTo } from "../support/mail.js";
import { mailedPages } from "../support/pages.js";
import { expect, test } from "../support/test.js";

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const NEW_PASSWORD = "copper-meadow-77-lighthouse";
const VERIFY = `${API}/api/auth/email/verify/`;

/** Ways to change `/page#token=…`. */
const CHANGES = {
  "its # encoded": (link) => link.replace("#", "%23"),
  "all of it encoded": (link) => link.replace("#token=", "%23token%3D"),
  "all of it encoded twice": (link) => link.replace("#token=", "%2523token%253D"),
  "its # encoded after a slash": (link) => link.replace("#", "/%23"),
  "its # encoded after a query": (link) => link.replace("#", "?utm_source=mail%23"),
  "its = encoded": (link) => link.replace("=", "%3D"),
  "a full stop after it": (link) => `${link}.`,
  "a bracket after it": (link) => `${link})`,
  "a comma after it": (link) => `${link},`,
  "an angle bracket after it": (link) => `${link}>`,
  "a quotation mark after it": (link) => `${link}"`,
  "an encoded quotation mark of another language after it": (link) => `${link}%E2%80%9D.`,
  "an underscore after it": (link) => `${link}_`,
  "its # encoded and a full stop after it": (link) => `${link.replace("#", "%23")}.`,
  "blanks around its token": (link) => `${link.replace("=", "=%20")}%20`,
  "a line break in its token": (link) => link.replace(/.{10}$/, "%0D%0A$&"),
};

for (const [name, change] of Object.entries(CHANGES)) {
  test(`a link with ${name} works, and its token leaves the address bar`, async ({ app, page, person }) => {
    const link = await linkTo("/verify-email", person.email);
    const sent = app.record(VERIFY);
    await app.open(change(link));
    await expect(page).toHaveURL(/\/verify-email$/);
    expect(await page.evaluate(() => [location.href, history.length])).toEqual([expect.stringMatching(/\/verify-email$/), 2]);
    await expect(page.getByText("seems to be missing")).toHaveCount(0);
    await press(page, "Confirm email");
    await expect(app.alert).toContainText("is confirmed");
    expect(sent[0].postDataJSON().token).toBe(link.split("=")[1]);
  });
}

test("a password is set by a link whose # was encoded", async ({ api, app, page, person }) => {
  await app.open("/forgot-password");
  await page.getByLabel("Email", { exact: true }).fill(person.email);
  await press(page, "Send reset link");
  await expect(app.alert).toBeVisible();
  const link = await linkTo("/reset-password", person.email);
  await app.open(`${link.replace("#", "%23")}).`);
  await expect(page).toHaveURL(/\/reset-password$/);
  await page.getByLabel("New password", { exact: true }).fill(NEW_PASSWORD);
  await press(page, "Set password");
  await expect(app.alert).toContainText("is set");
  await api.login({ ...person, password: NEW_PASSWORD });
});

for (const { path } of mailedPages) {
  test(`a cut link to ${path} is reported, and its rest leaves the address bar`, async ({ app, page, person }) => {
    const link = (await linkTo("/verify-email", person.email)).replace("/verify-email", path);
    for (const cut of [link.slice(0, -1), link.slice(0, -20), link.replace("#", "%23").slice(0, -5)]) {
      await page.goto("about:blank");
      await app.open(cut);
      await expect(page.getByText("A part of this link seems to be missing")).toBeVisible();
      await expect(page).toHaveURL(new RegExp(`${path}$`));
    }
    for (const cut of [`${path}#token=`, `${path}#tok`, `${path}%23token=`, `${path}#token`, `${path}#token=.`]) {
      await page.goto("about:blank");
      await app.open(cut);
      await expect(app.alert).toContainText("not complete");
    }
  });
}

test("a changed link also works in a tab that shows the same page", async ({ app, page, person }) => {
  const link = await linkTo("/verify-email", person.email);
  await app.open("/verify-email#token=first");
  await page.evaluate((address) => (location.href = address), `${link.replace("=", "%3D")}.`);
  await expect(page).toHaveURL(/\/verify-email$/);
  await press(page, "Confirm email");
  await expect(app.alert).toContainText("is confirmed");
});
