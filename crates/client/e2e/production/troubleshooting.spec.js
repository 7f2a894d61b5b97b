// Every message that docs/operations/troubleshooting.md says a browser shows is provoked, and compared with the document's words.
import { readFileSync } from "node:fs";
import { AMISS, API, CLIENT, CLIENT_ELSEWHERE, FORWARDER } from "../support/addresses.js";
import { expect, test } from "../support/test.js";

const text = readFileSync(new URL("../../../../docs/operations/troubleshooting.md", import.meta.url), "utf8");

/** What a browser shows under each heading, in its console and on the page: title → `{console: […], page: […]}`. */
const sections = Object.fromEntries(
  text.split(/^## /m).map((section) => {
    const blocks = (language) => [...section.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)\n\`\`\`$`, "gm"))].map(([, shown]) => shown);
    return [section.split("\n")[0], { console: blocks("console"), page: blocks("page") }];
  }),
);

/** The document's words as a pattern: `…` stands for anything, its addresses for those of this deployment. */
function pattern(shown, client) {
  const addresses = {
    "https://api.example.com": API,
    "https://app.example.com": client,
    "https://www.example.com": FORWARDER,
    "https://other.example.com": "https://other.latchkey.test",
  };
  const here = Object.entries(addresses).reduce((words, [theirs, ours]) => words.replaceAll(theirs, ours), shown);
  return new RegExp(here.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*"));
}

/** Sends what no page of ours does: JSON to a host that forwards. */
const post = (address) => ({ page }) =>
  page.evaluate((to) => fetch(to, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }).catch(() => {}), address);

const showPicture = (address) => ({ page }) => page.evaluate((from) => document.body.append(Object.assign(new Image(), { src: from })), address);

const open = (path) => ({ page }) => page.goto(path).catch(() => {}); // a host that answers 404 is what is asked for
const signIn = ({ app, person }) => app.fillSignIn(person);

const answer = (status, reason) => ({ page }) =>
  page.route(`${API}/api/auth/login/`, (route) =>
    route.fulfill({
      status,
      headers: { "access-control-allow-origin": CLIENT, "access-control-expose-headers": "Retry-After", "retry-after": "2" },
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "about:blank", title: "", status, detail: "", code: "error", reason, request_id: "" }),
    }),
  );

/** Fails to sign in as often as the limits allow. */
const guess = async ({ api, person }) => {
  for (let tries = 0; tries < 10; tries += 1) await api.login({ ...person, password: "a wrong password" }).catch(() => {});
};

/** How each section's messages come about, in the order of the document: where the client is, and what is done there. */
const PROVOKED = {
  "The console speaks of CORS": { client: AMISS.unlisted, steps: [open("/login"), signIn] },
  "The console speaks of CORS and another address": { client: AMISS.redirected, steps: [open("/login"), signIn, post(`${FORWARDER}/api/auth/login/`)] },
  "The console speaks of a Content Security Policy": { client: AMISS.mixed, steps: [open("/login"), signIn] },
  "A picture does not show": { client: AMISS.mixed, steps: [open("/login"), showPicture(`${API}/api/avatars/a-picture.webp`)] },
  "The client calls 127.0.0.1": { client: AMISS.unconfigured, steps: [open("/login"), signIn] },
  "The page stays at \"Loading Latchkey…\"": { client: AMISS.outdated, steps: [open("/login")] },
  "The page says that Latchkey could not be started": { client: AMISS.changed, steps: [open("/login")] },
  "A page answers 404 when it is opened or reloaded": { client: AMISS.filesOnly, steps: [open("/sessions")] },
  "People are signed out when they reload the page": {
    client: CLIENT_ELSEWHERE,
    stage: "cookie",
    steps: [open("/login"), signIn, ({ app, person }) => app.expectSignedIn(person), ({ page }) => page.reload()],
  },
  "429 Too many requests": { client: CLIENT, steps: [guess, open("/login"), signIn] },
  "503 with Retry-After": { client: CLIENT, steps: [answer(503, "unavailable"), open("/login"), signIn] },
};

test("every section that shows a browser's words is provoked", () => {
  const shows = Object.entries(sections).filter(([, shown]) => shown.console.length + shown.page.length > 0);
  expect(shows.map(([title]) => title)).toEqual(Object.keys(PROVOKED));
});

for (const [title, { client, stage = "body", steps }] of Object.entries(PROVOKED)) {
  test.describe(title, () => {
    test.use({ stage, baseURL: client });

    test(`${title}: the browser says what the document shows`, async ({ api, app, page, person, watch }) => {
      watch.expectText(/./);
      for (const origin of [client, FORWARDER]) watch.expectPage(origin);
      const heard = [];
      page.on("console", (message) => heard.push(message.text()));
      for (const step of steps) await step({ api, app, page, person });

      const shown = sections[title];
      for (const words of shown.page) await expect(page.getByText(pattern(words, client)).first()).toBeVisible({ timeout: 30_000 });
      const isMissing = (words) => !heard.some((line) => pattern(words, client).test(line));
      await expect.poll(() => shown.console.filter(isMissing).map((missing) => ({ missing, heard }))).toEqual([]);
    });
  });
}
