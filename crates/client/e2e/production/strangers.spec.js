// Other people's pages in the browser of somebody who is signed in by cookie.
import { API, SIBLING, STRANGER } from "../support/addresses.js";
import { expect, test } from "../support/test.js";

test.use({ stage: "cookie" });

/** Everything that a page can send to the API in its visitor's name; comes to what it heard. */
const attack = (address) => {
  const csrf = /csrf_token=([^;]+)/.exec(document.cookie)?.[1] ?? "guessed";
  const read = (path, request) => fetch(address + path, { credentials: "include", ...request }).then((answer) => answer.text());
  const post = (path, headers, mode = "cors") => read(path, { method: "POST", mode, headers, body: "{}" });
  const tries = ["/api/auth/refresh/", "/api/auth/logout/"].flatMap((path) => [
    post(path, { "content-type": "application/json", "x-csrf-token": csrf }),
    post(path, { "content-type": "application/json" }),
    post(path, { "content-type": "text/plain" }),
    post(path, { "content-type": "text/plain" }, "no-cors"),
  ]);
  return Promise.allSettled([read("/api/auth/me/"), ...tries]).then((all) => all.map(({ value }) => value ?? ""));
};

/** A form that sends itself, in the whole window as no frame may show the API. */
const submit = (address) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: address, enctype: "text/plain" });
  document.body.append(form);
  form.submit();
};

for (const [who, origin] of Object.entries({ "another site": STRANGER, "another host of the site": SIBLING })) {
  test(`a page of ${who} can neither read, refresh nor sign out`, async ({ api, app, newTab, page, person, watch }) => {
    watch.expectPage(origin);
    watch.expectText(/CORS policy|net::ERR_|status of 4/);
    await app.signIn(person);
    const { sid, jwt } = await app.access();

    const { page: other } = await newTab();
    const taken = [];
    other.on("response", (answer) => {
      const { url, method } = { url: answer.url(), method: answer.request().method() };
      if (url.startsWith(API) && method === "POST" && answer.status() < 400) taken.push(url);
    });
    await other.goto(origin);
    const heard = await other.evaluate(attack, API);
    expect(heard.filter(Boolean), "answers that the page could read").toEqual([]);
    for (const path of ["/api/auth/refresh/", "/api/auth/logout/"]) {
      await other.goto(origin);
      await other.evaluate(submit, API + path);
      await other.waitForURL(API + path);
    }
    expect(taken, "requests that the API carried out").toEqual([]);

    expect(await api.meStatus(jwt), "the session goes on").toBe(200);
    await page.reload();
    await app.expectSignedIn(person);
    expect((await app.access()).sid).toBe(sid);
  });
}
