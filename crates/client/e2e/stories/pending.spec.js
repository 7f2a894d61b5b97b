// A button that sends a request shows that it is busy, ignores further clicks, and reports a failure.
import { API, CLIENT } from "../support/addresses.js";
import { hold } from "../support/intercept.js";
import { expect, test } from "../support/test.js";

const cors = { "access-control-allow-origin": CLIENT, "access-control-allow-credentials": "true" };
const FAILURE = { status: 503, headers: { ...cors, "content-type": "application/problem+json" }, body: "{}" };

/** Buttons outside and inside forms: their page, and the request that they send. */
const BUTTONS = [
  { page: "Account", button: "Download your data", sends: ["GET", `${API}/api/auth/me/export/`] },
  { page: "Account", button: "Save", fill: ["Display name", "Ada"], sends: ["PATCH", `${API}/api/auth/me/`] },
  { page: "Sessions", button: "Sign out everywhere", sends: ["POST", `${API}/api/auth/logout/all/`] },
  { page: "Security", button: "Change email", fill: ["New email", "ada-3@example.com", "Password", "violet"], sends: ["POST", `${API}/api/auth/email/change/`] },
];

for (const { page: name, button, fill = [], sends: [method, url] } of BUTTONS) {
  test(`"${button}" waits for its response, and reports a failure`, async ({ app, page, person, watch }) => {
    watch.expectFailures(503);
    await app.signIn(person);
    await app.visit(name);
    for (let i = 0; i < fill.length; i += 2) await page.getByLabel(fill[i], { exact: true }).fill(fill[i + 1]);
    const held = await hold(page, url, method);
    const sent = app.record(url, method);
    const pressed = page.getByRole("button", { name: button, exact: true });
    await pressed.click();
    await held.requested;
    await expect(pressed).toHaveAttribute("aria-busy", "true");
    await expect(pressed).toHaveAttribute("aria-disabled", "true");
    await pressed.dispatchEvent("click");
    expect(sent).toHaveLength(1);
    // Automatic repetitions fail, too.
    await page.route(url, (route) => (route.request().method() === method ? route.fulfill(FAILURE) : route.fallback()));
    held.release(FAILURE);
    await expect(app.alert).toBeVisible();
    await expect(pressed).not.toHaveAttribute("aria-busy");
    await expect(pressed).not.toHaveAttribute("aria-disabled");
  });
}
