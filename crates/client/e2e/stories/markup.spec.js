import { expect, test } from "../support/test.js";

// Names that a person may enter, and that must never be interpreted as markup.
const MARKUP = [
  "<img src=x onerror=alert(1)>",
  "<script>alert(1)</script>",
  "<a href=javascript:alert(1)>x</a>",
  "<svg/onload=alert(1)>",
  "{{alert(1)}} ${alert(1)} &lt;b&gt;",
];

test("a name is shown as it was typed, even if it looks like markup", async ({ api, app, page, person }) => {
  page.on("dialog", (dialog) => {
    throw new Error(`a dialog opened: ${dialog.message()}`);
  });
  await app.signIn(person);
  for (const name of MARKUP) {
    await test.step(name, async () => {
      const { access } = await api.login(person);
      await api.rename(access, name);
      await app.open("/");
      await expect(page.getByText(`Hello, ${name}`, { exact: true })).toBeVisible();
      await app.open("/account");
      await expect(page.getByLabel("Display name", { exact: true })).toHaveValue(name);
      await expect(page.locator("main img, main script, main a[href^='javascript']")).toHaveCount(0);
    });
  }
});
