// A mailed link whose `#` was encoded requests a path without a page from the static host, and still works.
import { CLIENT } from "../support/addresses.js";
import { mailedPages } from "../support/pages.js";
import { expect, test } from "../support/test.js";

test.use({ stage: "body" });

const TOKEN = "aZ09-_ccccccccccccccccccccccccccccccccccccE";

for (const { path, title } of mailedPages) {
  for (const hash of ["%23", "%2523", "/%23"]) {
    test(`${path}${hash}token=… opens the page of the link`, async ({ app, page }) => {
      const requested = [];
      page.on("request", (request) => requested.push(request.url()));
      await app.open(`${path}${hash}token=${TOKEN}.`);
      await expect(page.getByRole("heading", { name: title, exact: true })).toBeVisible();
      await expect(page.getByRole("main").getByRole("button").first()).toBeVisible();
      await expect(page).toHaveURL(`${CLIENT}${path}`);
      // The first request has the token, because the mail program encoded it into the path; no other request has.
      expect(requested.slice(1).filter((url) => url.includes(TOKEN))).toEqual([]);
    });
  }
}
