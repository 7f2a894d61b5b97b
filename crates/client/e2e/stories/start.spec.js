// Starting the program, when a deployment goes between the page and its files.
import { intercept } from "../support/intercept.js";
import { expect, test } from "../support/test.js";

/** What a static host says to every path that is no file. */
const PAGE = { contentType: "text/html", headers: { "cache-control": "public, max-age=31536000, immutable" }, body: "<!doctype html>" };

/** Answers for a kind of file with the page, as often as `times` says. */
const takeAway = (page, kind, times) => intercept(page, new RegExp(`/(client|style)-[^/]*\\.${kind}$`), (route) => route.fulfill(PAGE), { times });

for (const kind of ["js", "wasm", "css"]) {
  test(`a .${kind} file that was away for a moment is asked for again`, async ({ app, page, watch }) => {
    watch.expectText(/MIME|module|style sheet|WebAssembly|Magic|integrity/i);
    await takeAway(page, kind, 1);
    await app.open("/login");
    await expect(app.signInHeading).toBeVisible();
    expect(await page.evaluate(() => document.styleSheets[0].cssRules.length)).toBeGreaterThan(9);
  });
}

test("a program that stays away is said to, and not asked for forever", async ({ page, watch }) => {
  watch.expectText(/MIME|WebAssembly|Magic/i);
  const visits = [];
  page.on("request", (request) => request.isNavigationRequest() && visits.push(request.url()));
  await takeAway(page, "wasm", 1000);
  await page.goto("/login");
  await expect(page.getByText("Latchkey could not be started")).toBeVisible();
  expect(visits).toHaveLength(2);
});
