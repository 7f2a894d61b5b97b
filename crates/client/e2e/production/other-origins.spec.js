// Pages of other origins in the browser of a person who is signed in by cookie.
import { API, SIBLING, OTHER_SITE } from "../support/addresses.js";
import { expect, test } from "../support/test.js";

test.use({ stage: "cookie" });

/** Sends everything that a page can send to the API on its visitor's behalf; resolves to the bodies that it could read. */
const attack = (address) => {
  const csrf = /csrf_token=([^;]+)/.exec(document.cookie)?.[1] ?? "guessed";
  const read = (path, request) => fetch(address + path, { credentials: "include", ...request }).then((response) => response.text());
  const post = (path, headers, mode = "cors") => read(path, { method: "POST", mode, headers, body: "{}" });
  const attempts = ["/api/auth/refresh/", "/api/auth/logout/"].flatMap((path) => [
    post(path, { "content-type": "application/json", "x-csrf-token": csrf }),
    post(path, { "content-type": "application/json" }),
    post(path, { "content-type": "text/plain" }),
    post(path, { "content-type": "text/plain" }, "no-cors"),
  ]);
  return Promise.allSettled([read("/api/auth/me/"), ...attempts]).then((all) => all.map(({ value }) => value ?? ""));
};

/** Submits a form in the top window, because no frame may show the API. */
const submit = (address) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: address, enctype: "text/plain" });
  document.body.append(form);
  form.submit();
};

for (const [who, origin] of Object.entries({ "another site": OTHER_SITE, "another host of the site": SIBLING })) {
  test(`a page of ${who} can neither read, refresh nor sign out`, async ({ api, app, newTab, page, person, watch }) => {
    watch.expectPage(origin);
    watch.expectText(/CORS policy|net::ERR_|status of 4/);
    await app.signIn(person);
    const { sid, jwt } = await app.access();

    const { page: other } = await newTab();
    const accepted = [];
    other.on("response", (response) => {
      const { url, method } = { url: response.url(), method: response.request().method() };
      if (url.startsWith(API) && method === "POST" && response.status() < 400) accepted.push(url);
    });
    await other.goto(origin);
    const bodies = await other.evaluate(attack, API);
    expect(bodies.filter(Boolean), "responses that the page could read").toEqual([]);
    for (const path of ["/api/auth/refresh/", "/api/auth/logout/"]) {
      await other.goto(origin);
      await other.evaluate(submit, API + path);
      await other.waitForURL(API + path);
    }
    expect(accepted, "requests that the API carried out").toEqual([]);

    expect(await api.meStatus(jwt), "the session is still live").toBe(200);
    await page.reload();
    await app.expectSignedIn(person);
    expect((await app.access()).sid).toBe(sid);
  });
}
