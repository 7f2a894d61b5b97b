import { unlinkSync, writeFileSync } from "node:fs";
import { API } from "../support/addresses.js";
import { hold } from "../support/intercept.js";
import { file, png } from "../support/pictures.js";
import { expect, test } from "../support/test.js";

const GREEN = file("me.png", "image/png", png(64, [20, 160, 60]));

const field = (page) => page.getByLabel("Picture", { exact: true });
const upload = (page) => page.getByRole("button", { name: "Upload picture", exact: true });
const remove = (page) => page.getByRole("button", { name: "Remove picture", exact: true });
const picture = (page) => page.locator("main img.avatar");

/** The picture is loaded, not only its element present. */
async function expectPicture(page) {
  await expect(picture(page)).toHaveAttribute("src", new RegExp(`^${API}/api/avatars/[0-9a-f]{32}\\.jpg$`));
  await expect.poll(() => picture(page).evaluate((image) => image.naturalWidth)).toBe(64);
}

test("a picture is uploaded, stays, and is removed again", async ({ app, page, person }) => {
  await app.signIn(person);
  await app.visit("Account");
  await expect(remove(page)).toHaveCount(0);
  await expect(page.locator("main .avatar")).toHaveText("A");
  await field(page).setInputFiles(GREEN);
  await upload(page).click();
  await expect(page.getByRole("status")).toHaveText("Your picture is saved.");
  await expectPicture(page);
  await page.reload();
  await expectPicture(page);
  await app.open("/");
  await expectPicture(page);

  await app.visit("Account");
  await remove(page).click();
  await expect(page.getByRole("status")).toHaveText("Your picture is removed.");
  await expect(picture(page)).toHaveCount(0);
  await page.reload();
  await expect(page.locator("main .avatar")).toHaveText("A");
});

test("a picture is chosen, uploaded and removed by keyboard", async ({ app, page, person }) => {
  await app.signIn(person);
  await app.visit("Account");
  await field(page).setInputFiles(GREEN);
  await field(page).focus();
  await page.keyboard.press("Tab");
  await expect(upload(page)).toBeFocused();
  await page.keyboard.press("Enter");
  await expectPicture(page);
  await page.keyboard.press("Tab");
  await expect(remove(page)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(picture(page)).toHaveCount(0);
});

test("a file that is not a picture is explained at its field", async ({ app, page, person, watch }) => {
  watch.expectFailures(400);
  await app.signIn(person);
  await app.visit("Account");
  const wrong = [
    [null, "Choose a picture first."],
    [file("me.svg", "image/svg+xml", Buffer.from("<svg/>")), "Choose a PNG, JPEG or WebP picture."],
    [file("me.png", "image/png", Buffer.alloc(2 * 1024 * 1024 + 1)), "This picture is larger than 2 MB."],
    // The browser trusts the file's name; the server checks its content.
    [file("me.png", "image/png", Buffer.from("<svg/>")), /not a picture of the kind/],
  ];
  for (const [chosen, message] of wrong) {
    if (chosen) await field(page).setInputFiles(chosen);
    await upload(page).click();
    await expect(page.getByText(message)).toBeVisible();
    await expect(app.alert).toBeVisible();
    await expect(field(page)).toHaveAttribute("aria-invalid", "true");
    await expect(field(page)).toBeFocused();
  }
  await field(page).setInputFiles(GREEN);
  await upload(page).click();
  await expectPicture(page);
  await expect(app.alert).toHaveCount(0);
  await expect(field(page)).not.toHaveAttribute("aria-invalid");
});

const CHANGES = {
  changed: (path) => writeFileSync(path, png(65, [200, 20, 60])),
  deleted: (path) => unlinkSync(path),
};

for (const [fate, change] of Object.entries(CHANGES)) {
  test(`a file that was ${fate} after it was chosen is explained at its field`, async ({ app, page, person }, info) => {
    const uploads = app.record(`${API}/api/auth/me/avatar/`, "PUT");
    const path = info.outputPath("me.png");
    writeFileSync(path, png(64, [20, 160, 60]));
    await app.signIn(person);
    await app.visit("Account");
    await field(page).setInputFiles(path);
    change(path);
    await upload(page).click();
    await expect(field(page)).toHaveAccessibleDescription(/This file was changed, moved or deleted after you chose it\. Choose it again\./);
    await expect(field(page)).toHaveAttribute("aria-invalid", "true");
    await expect(field(page)).toBeFocused();
    await expect(app.alert).toHaveText("Please check what you entered.");
    await expect(page.getByRole("status")).toHaveText("");
    expect(uploads).toEqual([]);

    writeFileSync(path, png(64, [20, 160, 60]));
    await field(page).setInputFiles(path);
    await upload(page).click();
    await expectPicture(page);
    await expect(app.alert).toHaveCount(0);
  });
}

test("a file that is chosen during an upload stays chosen", async ({ app, page, person }) => {
  await app.signIn(person);
  await app.visit("Account");
  await field(page).setInputFiles(GREEN);
  const sent = await hold(page, `${API}/api/auth/me/avatar/`, "PUT");
  await upload(page).click();
  await sent.requested;
  await field(page).setInputFiles(file("next.png", "image/png", png(32, [1, 2, 3])));
  sent.release();
  await expectPicture(page);
  expect(await field(page).evaluate((input) => input.files[0]?.name)).toBe("next.png");
});
