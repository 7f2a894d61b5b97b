// Two people in one browser, with the refresh token in a cookie, which all tabs share.
import { expect, test } from "../support/test.js";
import { twoPeople } from "../support/two-people.js";

test.use({ stage: "cookie" });

test.describe("with Web Locks", () => {
  twoPeople({ inTurn: true });

  test("a sign-in waits for the response to another tab's sign-out, which removes the cookie", async ({ api, app, newTab, page, person }) => {
    const otherPerson = await api.register();
    await app.signIn(person);
    const second = await newTab();
    await second.open("/");
    await second.expectSignedIn(person);
    const responses = [];
    for (const tab of [app, second]) tab.page.on("response", (response) => responses.push(new URL(response.url()).pathname));
    await page.route("**/api/auth/logout/", (route) => setTimeout(() => route.continue(), 1_000)); // a slow server
    await app.signOutButton.click();
    await second.fillSignIn(otherPerson);

    await second.expectSignedIn(otherPerson);
    const [signOut, signIn] = ["/api/auth/logout/", "/api/auth/login/"].map((path) => responses.indexOf(path));
    expect(signOut).toBeGreaterThanOrEqual(0);
    expect(signOut).toBeLessThan(signIn);
    await second.page.reload();
    await second.expectSignedIn(otherPerson);
  });
});

test.describe("without Web Locks", () => {
  test.beforeEach(({ context }) =>
    context.addInitScript(() => Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined })),
  );

  twoPeople({ inTurn: false });
});
