// A page that a person returns to shows what has changed meanwhile.
import { API, CLIENT } from "../support/addresses.js";
import { ME } from "../support/app.js";
import { hold, intercept } from "../support/intercept.js";
import { linkTo } from "../support/mail.js";
import { expect, test } from "../support/test.js";

// REVALIDATION_PAUSE and TURN of the client.
const PAUSE = 5_000;
const TURN = 1_000;
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

const RETURNS = {
  "a tab that is visible again": (page) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))),
  "a window that has the focus again": (page) => page.evaluate(() => window.dispatchEvent(new Event("focus"))),
};
const comeBack = RETURNS["a tab that is visible again"];

/** Comes back and lets the pause after the previous revalidation pass. */
async function comeBackAfterPause(page) {
  await comeBack(page);
  await page.clock.fastForward(PAUSE);
}

const banner = (page) => page.getByText("Your email is not confirmed yet.");
const notice = (page) => page.getByRole("status");
const token = (link) => link.split("token=")[1];
const confirm = async (api, { email }) => api.confirm({ token: token(await linkTo("/verify-email", email)) });
const recordRevalidations = (app) => app.record(ME, "GET");

/** Stops the clock of all tabs, after the pause of their first revalidation. */
async function stopTime(page) {
  await page.clock.pauseAt(await page.evaluate((pause) => Date.now() + pause + 1_000, PAUSE));
}

test.beforeEach(({ page }) => page.clock.install());

for (const [name, returnToPage] of Object.entries(RETURNS)) {
  test(`${name} shows that the email is confirmed`, async ({ api, app, page, person }) => {
    await app.signIn(person);
    await expect(banner(page)).toBeVisible();
    await confirm(api, person);
    await returnToPage(page);
    await page.clock.fastForward(PAUSE);
    await expect(banner(page)).toHaveCount(0);
    await app.expectSignedIn(person);
  });
}

test("a confirmation in another tab of the browser is shown here", async ({ app, page, newTab, person }) => {
  await app.signIn(person);
  await expect(banner(page)).toBeVisible();
  const tab = await newTab();
  await tab.open(await linkTo("/verify-email", person.email));
  await tab.page.getByRole("button", { name: "Confirm email", exact: true }).click();
  await expect(tab.alert).toContainText("is confirmed");
  await tab.page.close();
  await page.bringToFront();
  await comeBackAfterPause(page);
  await expect(banner(page)).toHaveCount(0);
});

test("no mail is requested if the email is already confirmed", async ({ api, app, page, person }) => {
  const mails = app.record(`${API}/api/auth/email/resend/`);
  await app.signIn(person);
  await page.getByRole("button", { name: "Send the link again", exact: true }).click();
  await expect(notice(page)).toContainText("on its way");
  expect(mails).toHaveLength(1);
  await confirm(api, person);
  await page.getByRole("button", { name: "Send the link again", exact: true }).click();
  await expect(notice(page)).toContainText("Your email is confirmed.");
  await expect(banner(page)).toHaveCount(0);
  await expect(app.accountHeading).toBeFocused();
  expect(mails).toHaveLength(1);
});

test("the greeting shows a name that was set on another device", async ({ api, app, page, person }) => {
  await app.signIn(person);
  await api.changeElsewhere(person, { display_name: "Ada Lovelace" });
  await comeBackAfterPause(page);
  await expect(page.getByText("Hello, Ada Lovelace")).toBeVisible();
  await expect(page.locator("main .avatar")).toHaveText("AL");
});

test("the account's form is updated, except for the field in which the person is typing", async ({ api, app, page, person }) => {
  await app.signIn(person);
  await app.visit("Account");
  await page.getByLabel("Display name", { exact: true }).fill("Ada L");
  const name = `ada${Date.now().toString(36)}`;
  await api.changeElsewhere(person, { display_name: "Grace", username: name });
  await comeBackAfterPause(page);
  await expect(page.getByLabel("Username", { exact: true })).toHaveValue(name);
  await expect(page.getByLabel("Display name", { exact: true })).toHaveValue("Ada L");
  await expect(page.getByLabel("Display name", { exact: true })).toBeFocused();
});

test("the list of devices shows sign-ins and sign-outs of other devices", async ({ api, app, page, person }) => {
  const signedOut = await api.login(person);
  await app.signIn(person);
  await app.visitSessions();
  await expect(app.signOutDevice).toHaveCount(2);
  await app.signOutDevice.last().focus();
  await api.logout(signedOut.refresh);
  await api.login(person, IPHONE);
  await comeBackAfterPause(page);
  await expect(page.getByText("Safari on iPhone")).toBeVisible();
  await expect(app.signOutDevice).toHaveCount(2);
  // The button that had the focus was removed.
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

test("new events are added before those that are shown, and the older ones stay", async ({ api, app, page, person }) => {
  const { access } = await api.login(person);
  for (let i = 0; i < 22; i += 1) await api.rename(access, `Ada ${i}`);
  await app.signIn(person);
  await app.visit("Security");
  await page.getByRole("button", { name: "Show more", exact: true }).click();
  await expect(page.locator(".event").last()).toContainText("Account created");
  const shown = await page.locator(".event").count();
  await expect(page.locator(".event").nth(20)).toBeFocused();
  await api.login(person, IPHONE);
  await comeBackAfterPause(page);
  await expect(page.locator(".event")).toHaveCount(shown + 1);
  await expect(page.locator(".event").first()).toContainText("iPhone");
  await expect(page.locator(".event").nth(21)).toBeFocused();
});

test("several returns in a row send one request, and another at the end of the pause", async ({ app, page, person }) => {
  await app.signIn(person);
  await stopTime(page);
  const requests = recordRevalidations(app);
  await comeBack(page);
  await page.clock.runFor(1);
  await expect.poll(() => requests.length).toBe(1);
  for (let i = 0; i < 5; i += 1) await comeBack(page);
  await page.clock.runFor(PAUSE - 100);
  expect(requests).toHaveLength(1);
  await page.clock.runFor(100);
  await expect.poll(() => requests.length).toBe(2);
  await page.clock.runFor(4 * PAUSE);
  expect(requests).toHaveLength(2);
});

test("tabs that become visible at the same moment send their requests one after the other", async ({ app, page, newTab, context, person }) => {
  const TABS = 6;
  await app.signIn(person);
  const tabs = [page];
  while (tabs.length < TABS) {
    const tab = await newTab();
    await tab.page.clock.install();
    await tab.open("/");
    await tab.expectSignedIn(person);
    tabs.push(tab.page);
  }
  await stopTime(page);
  const requests = [];
  context.on("response", (response) => {
    // A tab whose access token has expired meanwhile is refused, and repeats the request with the next token.
    const isSuccess = response.status() === 200 && response.request().method() === "GET";
    if (response.url() === ME && isSuccess) requests.push(response.frame().page());
  });
  for (const tab of tabs) await comeBack(tab);
  await page.clock.runFor(1);
  const waiting = () => page.evaluate(async () => (await navigator.locks.query()).pending.filter(({ name }) => name === "latchkey.look").length);
  await expect.poll(waiting).toBe(TABS - 1);
  await expect.poll(() => requests.length).toBe(1);
  while (requests.length < TABS) {
    const before = requests.length;
    // The tabs share one clock: a turn that begins while it advances may also end then.
    await page.clock.runFor(TURN);
    await expect.poll(() => requests.length).toBeGreaterThan(before);
  }
  expect(new Set(requests).size, "each tab sent a request").toBe(TABS);
  expect(requests, "each tab sent one request").toHaveLength(TABS);
});

test("nothing is revalidated while a form is being sent", async ({ api, app, page, person }) => {
  await app.signIn(person);
  await app.visit("Account");
  await stopTime(page);
  const requests = recordRevalidations(app);
  const saved = await hold(page, ME, "PATCH");
  await page.getByLabel("Display name", { exact: true }).fill("Ada");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await saved.requested;
  await comeBack(page);
  await page.clock.runFor(2 * PAUSE);
  expect(requests).toEqual([]);
  const name = `ada${Date.now().toString(36)}`;
  saved.release();
  await expect(notice(page)).toHaveText("Your profile is saved.");
  await api.changeElsewhere(person, { username: name });
  // The revalidation takes place afterwards.
  await page.clock.runFor(1);
  await expect.poll(() => requests.length).toBe(1);
  await expect(page.getByLabel("Username", { exact: true })).toHaveValue(name);
});

test("a response from before a save does not overwrite the saved value", async ({ api, app, page, person }) => {
  await api.changeElsewhere(person, { display_name: "Ada" });
  await app.signIn(person);
  await app.visit("Account");
  const before = await api.userOf(person);
  const held = await hold(page, ME, "GET");
  await comeBackAfterPause(page);
  await held.requested;
  await page.getByLabel("Display name", { exact: true }).fill("Grace");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(notice(page)).toHaveText("Your profile is saved.");
  const repeated = page.waitForRequest((request) => request.url() === ME && request.method() === "GET");
  held.release({ json: before, headers: { "access-control-allow-origin": CLIENT } });
  await repeated;
  await expect(page.getByLabel("Display name", { exact: true })).toHaveValue("Grace");
});

const cors = { "access-control-allow-origin": CLIENT };
const FAILURES = {
  "a 500": { logs: 500, response: { status: 500, headers: cors, body: "" } },
  "a 503": { logs: 503, response: { status: 503, headers: { ...cors, "retry-after": "1" }, body: "" } },
  "a 403": { logs: 403, response: { status: 403, headers: cors, json: { code: "permission_denied" } } },
  "a 404": { logs: 404, response: { status: 404, headers: cors, json: { code: "not_found" } } },
  "a 401 of another server": { logs: 401, response: { status: 401, headers: { ...cors, "content-type": "text/html" }, body: "<h1>Unauthorized</h1>" } },
  "a captive portal's page": { response: { status: 200, headers: { ...cors, "content-type": "text/html" }, body: "<!doctype html>" } },
  "no connection": { logs: "net::ERR_CONNECTION_REFUSED" },
};

for (const [failure, { logs, response }] of Object.entries(FAILURES)) {
  test(`a revalidation that ends with ${failure} signs no one out and removes nothing`, async ({ api, app, page, person, watch }) => {
    if (logs) watch.expectFailures(logs);
    await api.login(person);
    await app.signIn(person);
    await app.visitSessions();
    let failed = 0;
    const recover = await intercept(page, /\/api\/auth\/(me|sessions)\/$/, (route) => {
      failed += 1;
      return response ? route.fulfill(response) : route.abort("connectionrefused");
    });
    await comeBackAfterPause(page);
    await expect.poll(() => failed).toBe(2);
    await expect(app.signOutDevice).toHaveCount(2);
    await expect(app.alert).toHaveCount(0);
    await expect(page).toHaveURL(/\/sessions$/);
    recover();
    await api.login(person, IPHONE);
    await comeBackAfterPause(page);
    await expect(page.getByText("Safari on iPhone")).toBeVisible();
  });
}

test("a session that was ended elsewhere ends here with its reason", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const { access } = await app.tokens();
  await api.endSession((await api.login(person)).access, access.sid);
  await comeBackAfterPause(page);
  await app.expectSignedOut();
  await expect(page.getByText("Your session has ended.")).toBeVisible();
});

test("pages for visitors send no request when they are visible again", async ({ app, page }) => {
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  await stopTime(page);
  const sent = [];
  page.on("request", (request) => sent.push(request.url()));
  await comeBack(page);
  await page.clock.runFor(4 * PAUSE);
  expect(sent).toEqual([]);
});
