// Password managers and browsers fill fields without an event, or with one that the page does not listen for.
import { API } from "../support/addresses.js";
import { ME } from "../support/app.js";
import { PAGES, addressOf, isForAdministrators, isProtected } from "../support/pages.js";
import { expect, test } from "../support/test.js";

const PASSWORD = "copper-meadow-77-lighthouse";

/** Every form with fields: its path, the values, its button, and the request that it sends. */
const FORMS = [
  { path: "/login", fill: { "Email or username": "ada@example.com", Password: PASSWORD }, button: "Sign in", sent: ["POST", `${API}/api/auth/login/`] },
  { path: "/register", fill: { Email: "not-ada@example.com", Password: PASSWORD }, button: "Create account", sent: ["POST", `${API}/api/auth/register/`] },
  { path: "/forgot-password", fill: { Email: "ada@example.com" }, button: "Send reset link", sent: ["POST", `${API}/api/auth/password/reset/`] },
  { path: "/reset-password#token=made-up", fill: { "New password": PASSWORD }, button: "Set password", sent: ["POST", `${API}/api/auth/password/reset/confirm/`] },
  { path: "/account", as: "user", fill: { "Display name": "Ada L.", Username: "ada-l" }, button: "Save", sent: ["PATCH", ME] },
  { path: "/account", as: "user", fill: { Password: PASSWORD }, button: "Delete account", sent: ["DELETE", ME] },
  { path: "/security", as: "user", fill: { "Current password": PASSWORD, "New password": `${PASSWORD}-2` }, button: "Change password", sent: ["POST", `${API}/api/auth/password/change/`] },
  { path: "/security", as: "user", fill: { "New email": "ada-2@example.com", Password: PASSWORD }, button: "Change email", sent: ["POST", `${API}/api/auth/email/change/`] },
];

for (const { path, as, fill, button, sent: [method, url] } of FORMS) {
  test(`"${button}" sends values that were filled in without an event`, async ({ app, page, person, watch }) => {
    watch.expectFailures(400, 401);
    if (as) await app.signIn(person);
    await app.open(path);
    const field = (label) => page.getByLabel(label, { exact: true });
    for (const [label, text] of Object.entries(fill)) await field(label).evaluate((input, value) => (input.value = value), text);
    const request = page.waitForRequest((request) => request.url() === url && request.method() === method);
    await page.getByRole("button", { name: button, exact: true }).click();
    expect(Object.values((await request).postDataJSON())).toEqual(expect.arrayContaining(Object.values(fill)));
    await expect(page.getByText("Please check what you entered")).toHaveCount(0);
  });
}

test("a typed value that was replaced without an event is sent in its new form", async ({ app, page, person }) => {
  await app.open("/login");
  await app.identifier.fill("somebody@example.com");
  await app.password.fill("not-my-password-77");
  await app.identifier.evaluate((input, value) => (input.value = value), person.email);
  await app.password.evaluate((input, value) => (input.value = value), person.password);
  await app.password.press("Enter");
  await app.expectSignedIn(person);
});

test("every field of the client is in one of these forms", async ({ app, page, person }) => {
  const known = new Map();
  for (const { path, fill } of FORMS) {
    const page = path.split("#")[0];
    known.set(page, [...(known.get(page) ?? []), ...Object.keys(fill)]);
  }
  const fields = "input:not([type=file]), select, textarea, [contenteditable]";
  const labels = () => page.locator(fields).evaluateAll((all) => all.map(({ labels }) => labels[0].textContent).sort());
  const visit = async (row) => {
    await app.open(addressOf(row));
    await expect(page.getByRole("heading", { level: 1, name: row.title, exact: true })).toBeVisible();
    await expect.poll(labels).toEqual((known.get(row.path) ?? []).sort());
  };
  for (const row of PAGES.filter((row) => !isProtected(row))) await visit(row);
  await app.signIn(person);
  for (const row of PAGES.filter((row) => isProtected(row) && !isForAdministrators(row))) await visit(row);
});
