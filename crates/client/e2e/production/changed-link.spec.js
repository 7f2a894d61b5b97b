// A mailed link whose `#` was encoded asks the static host for a path that is no page, and that page leads on.
import { CLIENT } from "../support/addresses.js";
import { mailedPages } from "../support/pages.js";
import { expect, test } from "../support/test.js";

test.use({ stage: "body" });

const TOKEN = "aZ09-_ccccccccccccccccccccccccccccccccccccE";

for (const { path, title } of mailedPages) {
  for (const hash of ["%23", "%2523", "/%23"]) {
    test(`${path}${hash}token=… is the page that was mailed`, async ({ app, page }) => {
      const asked = [];
      page.on("request", (request) => asked.push(request.url()));
      await app.open(`${path}${hash}token=${TOKEN}.`);
      await expect(page.getByRole("heading", { name: title, exact: true })).toBeVisible();
      await expect(page.getByRole("main").getByRole("button").first()).toBeVisible();
      await expect(page).toHaveURL(`${CLIENT}${path}`);
      // The host saw it, because the mail program asked so; nobody else does.
      expect(asked.slice(1).filter((url) => url.includes(TOKEN))).toEqual([]);
    });
  }
}
