// Two people in one browser, with the refresh token in a cookie, of which a browser has one.
import { expect, test } from "../support/test.js";
import { twoPeople } from "../support/two-people.js";

test.use({ stage: "cookie" });

test.describe("with Web Locks", () => {
  twoPeople({ inTurn: true });

  test("a sign-in waits for the answer to another tab's sign-out, which takes the cookie away", async ({ api, app, newTab, page, person }) => {
    const somebody = await api.register();
    await app.signIn(person);
    const second = await newTab();
    await second.open("/");
    await second.expectSignedIn(person);
    const answered = [];
    for (const tab of [app, second]) tab.page.on("response", (answer) => answered.push(new URL(answer.url()).pathname));
    await page.route("**/api/auth/logout/", (route) => setTimeout(() => route.continue(), 1_000)); // a slow server
    await app.signOutButton.click();
    await second.fillSignIn(somebody);

    await second.expectSignedIn(somebody);
    const [out, back] = ["/api/auth/logout/", "/api/auth/login/"].map((path) => answered.indexOf(path));
    expect(out).toBeGreaterThanOrEqual(0);
    expect(out).toBeLessThan(back);
    await second.page.reload();
    await second.expectSignedIn(somebody);
  });
});

test.describe("without Web Locks", () => {
  test.beforeEach(({ context }) =>
    context.addInitScript(() => Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined })),
  );

  twoPeople({ inTurn: false });
});
