// Starting the client while a deployment replaces the files of the page.
import { intercept } from "../support/intercept.js";
import { expect, test } from "../support/test.js";

/** A static host's response for every path without a file. */
const PAGE = { contentType: "text/html", headers: { "cache-control": "public, max-age=31536000, immutable" }, body: "<!doctype html>" };

/** Responds `times` times with the page instead of a file of this kind. */
const withhold = (page, kind, times) => intercept(page, new RegExp(`/(client|style)-[^/]*\\.${kind}$`), (route) => route.fulfill(PAGE), { times });

for (const kind of ["js", "wasm", "css"]) {
  test(`a .${kind} file that is missing for a moment is requested again`, async ({ app, page, watch }) => {
    watch.expectText(/MIME|module|style sheet|WebAssembly|Magic|integrity/i);
    await withhold(page, kind, 1);
    await app.open("/login");
    await expect(app.signInHeading).toBeVisible();
    expect(await page.evaluate(() => document.styleSheets[0].cssRules.length)).toBeGreaterThan(9);
  });
}

test("a program that stays missing is reported, and not requested forever", async ({ page, watch }) => {
  watch.expectText(/MIME|WebAssembly|Magic/i);
  const visits = [];
  page.on("request", (request) => request.isNavigationRequest() && visits.push(request.url()));
  await withhold(page, "wasm", 1000);
  await page.goto("/login");
  await expect(page.getByText("Latchkey could not be started")).toBeVisible();
  expect(visits).toHaveLength(2);
});
