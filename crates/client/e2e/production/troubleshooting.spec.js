// Provokes every message of a browser in docs/operations/troubleshooting.md, and compares it with the document's text.
import { readFileSync } from "node:fs";
import { MISCONFIGURED, API, CLIENT, CLIENT_ELSEWHERE, FORWARDER } from "../support/addresses.js";
import { expect, test } from "../support/test.js";

const text = readFileSync(new URL("../../../../docs/operations/troubleshooting.md", import.meta.url), "utf8");

/** The messages under each heading, in the console and on the page: title → `{console: […], page: […]}`. */
const sections = Object.fromEntries(
  text.split(/^## /m).map((section) => {
    const blocks = (language) => [...section.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)\n\`\`\`$`, "gm"))].map(([, shown]) => shown);
    return [section.split("\n")[0], { console: blocks("console"), page: blocks("page") }];
  }),
);

/** The document's text as a pattern: `…` matches anything, and its addresses stand for those of this deployment. */
function pattern(shown, client) {
  const addresses = {
    "https://api.example.com": API,
    "https://app.example.com": client,
    "https://www.example.com": FORWARDER,
    "https://other.example.com": "https://other.latchkey.test",
  };
  const text = Object.entries(addresses).reduce((result, [documented, actual]) => result.replaceAll(documented, actual), shown);
  return new RegExp(text.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*"));
}

/** Sends a request that none of our pages sends: JSON to a host that redirects. */
const post = (address) => ({ page }) =>
  page.evaluate((to) => fetch(to, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }).catch(() => {}), address);

const showPicture = (address) => ({ page }) => page.evaluate((from) => document.body.append(Object.assign(new Image(), { src: from })), address);

const open = (path) => ({ page }) => page.goto(path).catch(() => {}); // some steps open a page that returns 404
const signIn = ({ app, person }) => app.fillSignIn(person);

const respond = (status, reason) => ({ page }) =>
  page.route(`${API}/api/auth/login/`, (route) =>
    route.fulfill({
      status,
      headers: { "access-control-allow-origin": CLIENT, "access-control-expose-headers": "Retry-After", "retry-after": "2" },
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "about:blank", title: "", status, detail: "", code: "error", reason, request_id: "" }),
    }),
  );

/** Tries wrong passwords as often as the limits allow. */
const guess = async ({ api, person }) => {
  for (let attempt = 0; attempt < 10; attempt += 1) await api.login({ ...person, password: "a wrong password" }).catch(() => {});
};

/** How to provoke each section's messages, in the order of the document: the client's address, and the steps there. */
const PROVOKED = {
  "A CORS error in the console": { client: MISCONFIGURED.unlisted, steps: [open("/login"), signIn] },
  "A CORS error that names another address": { client: MISCONFIGURED.redirected, steps: [open("/login"), signIn, post(`${FORWARDER}/api/auth/login/`)] },
  "A Content Security Policy error in the console": { client: MISCONFIGURED.mixed, steps: [open("/login"), signIn] },
  "A picture does not show": { client: MISCONFIGURED.mixed, steps: [open("/login"), showPicture(`${API}/api/avatars/a-picture.jpg`)] },
  "The client calls 127.0.0.1": { client: MISCONFIGURED.unconfigured, steps: [open("/login"), signIn] },
  "The page stays at \"Loading Latchkey…\"": { client: MISCONFIGURED.outdated, steps: [open("/login")] },
  "The page says that Latchkey could not be started": { client: MISCONFIGURED.changed, steps: [open("/login")] },
  "A page returns 404 when it is opened or reloaded": { client: MISCONFIGURED.filesOnly, steps: [open("/sessions")] },
  "People are signed out when they reload the page": {
    client: CLIENT_ELSEWHERE,
    stage: "cookie",
    steps: [open("/login"), signIn, ({ app, person }) => app.expectSignedIn(person), ({ page }) => page.reload()],
  },
  "429 Too many requests": { client: CLIENT, steps: [guess, open("/login"), signIn] },
  "503 with Retry-After": { client: CLIENT, steps: [respond(503, "unavailable"), open("/login"), signIn] },
};

test("every section with a browser's messages is provoked", () => {
  const withMessages = Object.entries(sections).filter(([, shown]) => shown.console.length + shown.page.length > 0);
  expect(withMessages.map(([title]) => title)).toEqual(Object.keys(PROVOKED));
});

for (const [title, { client, stage = "body", steps }] of Object.entries(PROVOKED)) {
  test.describe(title, () => {
    test.use({ stage, baseURL: client });

    test(`${title}: the browser shows the documented messages`, async ({ api, app, page, person, watch }) => {
      watch.expectText(/./);
      for (const origin of [client, FORWARDER]) watch.expectPage(origin);
      const logged = [];
      page.on("console", (message) => logged.push(message.text()));
      for (const step of steps) await step({ api, app, page, person });

      const shown = sections[title];
      for (const message of shown.page) await expect(page.getByText(pattern(message, client)).first()).toBeVisible({ timeout: 30_000 });
      const isMissing = (message) => !logged.some((line) => pattern(message, client).test(line));
      await expect.poll(() => shown.console.filter(isMissing).map((missing) => ({ missing, logged }))).toEqual([]);
    });
  });
}
