// The API in production with refresh tokens in bodies; the client on another host of the API's site, and on another site.
import { API, CLIENT, CLIENT_ELSEWHERE, SIBLING, OTHER_SITE } from "../support/addresses.js";
import { REFRESH } from "../support/app.js";
import { expect, test } from "../support/test.js";

test.use({ stage: "body" });

for (const [where, origin] of Object.entries({ "another host": CLIENT, "another site": CLIENT_ELSEWHERE })) {
  test(`on ${where}, people sign in, stay and sign out, and no cookie is set`, async ({ api, app, context, page, person }) => {
    await app.open(`${origin}/login`);
    await app.fillSignIn(person);
    await app.expectSignedIn(person);
    await page.reload();
    await app.expectSignedIn(person);
    const refreshes = app.record(REFRESH);
    await app.accessExpires();
    await app.visitSessions();
    expect(refreshes.length).toBeGreaterThan(0);
    for (const request of refreshes) expect(await request.headerValue("cookie")).toBeNull();
    expect(await context.cookies()).toEqual([]);

    const { access } = await app.tokens();
    await app.signOutButton.click();
    await app.expectSignedOut();
    await expect.poll(() => api.meStatus(access.jwt)).toBe(401);
  });
}

for (const [who, origin] of Object.entries({ "another site": OTHER_SITE, "another host of the site": SIBLING })) {
  test(`a page of ${who} can neither read nor change anything, even if it has the tokens`, async ({ api, page, person, watch }) => {
    watch.expectPage(origin);
    watch.expectText(/CORS policy|net::ERR_|status of 4/);
    const tokens = await api.login(person);
    await page.goto(origin);
    const bodies = await page.evaluate(
      ([address, { access, refresh }]) => {
        const json = { "content-type": "application/json" };
        const read = (path, request) => fetch(address + path, request).then((response) => response.text());
        const attempts = [
          read("/api/auth/me/", { headers: { authorization: `Bearer ${access}` } }),
          read("/api/auth/logout/", { method: "POST", headers: json, body: JSON.stringify({ refresh }) }),
          read("/api/auth/logout/", { method: "POST", mode: "no-cors", body: JSON.stringify({ refresh }) }),
        ];
        return Promise.allSettled(attempts).then((all) => all.map(({ value }) => value ?? ""));
      },
      [API, tokens],
    );
    expect(bodies).toEqual(["", "", ""]);
    expect(await api.meStatus(tokens.access), "the session is still live").toBe(200);
  });
}
