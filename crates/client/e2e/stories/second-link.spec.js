// A second mailed link is opened in the tab of the first, so that only the fragment of the address changes.
import { API } from "../support/addresses.js";
import { linkTo } from "../support/mail.js";
import { mailedPages } from "../support/pages.js";
import { expect, test } from "../support/test.js";

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** Enters an address in the address bar of a tab that shows the same page. */
const follow = (page, link) => page.evaluate((address) => (location.href = address), link);

const BUTTONS = {
  "/reset-password": { api: `${API}/api/auth/password/reset/confirm/`, button: "Set password" },
  "/verify-email": { api: `${API}/api/auth/email/verify/`, button: "Confirm email" },
  "/change-email": { api: `${API}/api/auth/email/verify/`, button: "Confirm email" },
};

for (const { path } of mailedPages) {
  const { api: address, button } = BUTTONS[path];
  test(`the token of a second link to ${path} is used, and leaves the address bar`, async ({ app, page, watch }) => {
    watch.expectFailures(400);
    const sent = app.record(address);
    await app.open(`${path}#token=first`);
    for (const token of ["second", "third"]) {
      await follow(page, `${path}#token=${token}`);
      await expect(page).toHaveURL(new RegExp(`${path}$`));
      if (path === "/reset-password") await page.getByLabel("New password", { exact: true }).fill("copper-meadow-77-lighthouse");
      await press(page, button);
      await expect(app.alert).toContainText("does not work any more");
      expect(sent.at(-1).postDataJSON().token).toBe(token);
    }
    await follow(page, `${path}#token=`);
    await expect(app.alert).toContainText("not complete");
    await expect(page).toHaveURL(new RegExp(`${path}$`));
  });
}

for (const { path } of mailedPages) {
  test(`${path} says that its link was opened before, and not that it was cut`, async ({ app, page }) => {
    await app.open(`${path}#token=first`);
    await expect(page).toHaveURL(new RegExp(`${path}$`));
    await page.reload();
    await expect(app.alert).toContainText("opened again without its link");
    await page.goto("about:blank");
    await page.goBack();
    await expect(app.alert).toContainText("opened again without its link");
    await page.goto("about:blank");
    await app.open(path);
    await expect(app.alert).toContainText("not complete");
  });
}

test("a second link needs its own confirmation after the first one is used", async ({ api, app, page, person }) => {
  await app.open(await linkTo("/verify-email", person.email));
  await press(page, "Confirm email");
  await expect(app.alert).toContainText("is confirmed");
  const other = await api.register();
  await follow(page, await linkTo("/verify-email", other.email));
  await press(page, "Confirm email");
  await expect(app.alert).toContainText("is confirmed");
});
