// A picture is loaded from another host than the page, as the policies of both allow.
import { API, CLIENT, CLIENT_ELSEWHERE } from "../support/addresses.js";
import { file, png } from "../support/pictures.js";
import { expect, test } from "../support/test.js";

test.use({ stage: "body" });

for (const [where, origin] of Object.entries({ "another host": CLIENT, "another site": CLIENT_ELSEWHERE })) {
  test(`on ${where}, the page shows the picture that was uploaded`, async ({ app, page, person }) => {
    await app.open(`${origin}/login`);
    await app.fillSignIn(person);
    await app.expectSignedIn(person);
    await app.visit("Account");
    await page.getByLabel("Picture", { exact: true }).setInputFiles(file("me.png", "image/png", png(64, [160, 20, 60])));
    await page.getByRole("button", { name: "Upload picture", exact: true }).click();
    const picture = page.locator("main img.avatar");
    await expect(picture).toHaveAttribute("src", new RegExp(`^${API}/api/avatars/`));
    await expect.poll(() => picture.evaluate((image) => image.naturalWidth)).toBe(64);
  });
}
