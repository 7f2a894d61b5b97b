// A page that somebody comes back to shows what has become of it meanwhile.
import { API, CLIENT } from "../support/addresses.js";
import { ME } from "../support/app.js";
import { hold, intercept } from "../support/intercept.js";
import { linkTo } from "../support/mail.js";
import { expect, test } from "../support/test.js";

const PAUSE = 5_000; // LOOK_PAUSE
const TURN = 1_000; // TURN
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

const LOOKS = {
  "a tab that is seen again": (page) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))),
  "a window that has the focus again": (page) => page.evaluate(() => window.dispatchEvent(new Event("focus"))),
};
const look = LOOKS["a tab that is seen again"];

/** The same when the pause after the look before is over. */
async function lookAfterPause(page) {
  await look(page);
  await page.clock.fastForward(PAUSE);
}

const banner = (page) => page.getByText("Your email is not confirmed yet.");
const notice = (page) => page.getByRole("status");
const token = (link) => link.split("token=")[1];
const confirm = async (api, { email }) => api.confirm({ token: token(await linkTo("/verify-email", email)) });
const asks = (app) => app.record(ME, "GET");

/** Has the time of all tabs stand still, after the pause of their first look. */
async function stopTime(page) {
  await page.clock.pauseAt(await page.evaluate((pause) => Date.now() + pause + 1_000, PAUSE));
}

test.beforeEach(({ page }) => page.clock.install());

for (const [what, looks] of Object.entries(LOOKS)) {
  test(`${what} knows that the email is confirmed`, async ({ api, app, page, person }) => {
    await app.signIn(person);
    await expect(banner(page)).toBeVisible();
    await confirm(api, person);
    await looks(page);
    await page.clock.fastForward(PAUSE);
    await expect(banner(page)).toHaveCount(0);
    await app.expectSignedIn(person);
  });
}

test("whoever confirms in another tab of the browser sees it here", async ({ app, page, newTab, person }) => {
  await app.signIn(person);
  await expect(banner(page)).toBeVisible();
  const tab = await newTab();
  await tab.open(await linkTo("/verify-email", person.email));
  await tab.page.getByRole("button", { name: "Confirm email", exact: true }).click();
  await expect(tab.alert).toContainText("is confirmed");
  await tab.page.close();
  await page.bringToFront();
  await lookAfterPause(page);
  await expect(banner(page)).toHaveCount(0);
});

test("no mail is asked for where the email is confirmed already", async ({ api, app, page, person }) => {
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

test("the name in the greeting is the one that was given elsewhere", async ({ api, app, page, person }) => {
  await app.signIn(person);
  await api.changeElsewhere(person, { display_name: "Ada Lovelace" });
  await lookAfterPause(page);
  await expect(page.getByText("Hello, Ada Lovelace")).toBeVisible();
  await expect(page.locator("main .avatar")).toHaveText("AL");
});

test("the account's form follows, except for what somebody is typing", async ({ api, app, page, person }) => {
  await app.signIn(person);
  await app.visit("Account");
  await page.getByLabel("Display name", { exact: true }).fill("Ada L");
  const name = `ada${Date.now().toString(36)}`;
  await api.changeElsewhere(person, { display_name: "Grace", username: name });
  await lookAfterPause(page);
  await expect(page.getByLabel("Username", { exact: true })).toHaveValue(name);
  await expect(page.getByLabel("Display name", { exact: true })).toHaveValue("Ada L");
  await expect(page.getByLabel("Display name", { exact: true })).toBeFocused();
});

test("the list of devices gains and loses what was signed in and out elsewhere", async ({ api, app, page, person }) => {
  const gone = await api.login(person);
  await app.signIn(person);
  await app.visitSessions();
  await expect(app.signOutDevice).toHaveCount(2);
  await app.signOutDevice.last().focus();
  await api.logout(gone.refresh);
  await api.login(person, IPHONE);
  await lookAfterPause(page);
  await expect(page.getByText("Safari on iPhone")).toBeVisible();
  await expect(app.signOutDevice).toHaveCount(2);
  // The button that had the focus has gone.
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

test("new events come before those that are shown, and the older ones stay", async ({ api, app, page, person }) => {
  const { access } = await api.login(person);
  for (let i = 0; i < 22; i += 1) await api.rename(access, `Ada ${i}`);
  await app.signIn(person);
  await app.visit("Security");
  await page.getByRole("button", { name: "Show more", exact: true }).click();
  await expect(page.locator(".event").last()).toContainText("Account created");
  const shown = await page.locator(".event").count();
  await expect(page.locator(".event").nth(20)).toBeFocused();
  await api.login(person, IPHONE);
  await lookAfterPause(page);
  await expect(page.locator(".event")).toHaveCount(shown + 1);
  await expect(page.locator(".event").first()).toContainText("iPhone");
  await expect(page.locator(".event").nth(21)).toBeFocused();
});

test("looks in a row ask once, and again at the end of the pause", async ({ app, page, person }) => {
  await app.signIn(person);
  await stopTime(page);
  const asked = asks(app);
  await look(page);
  await page.clock.runFor(1);
  await expect.poll(() => asked.length).toBe(1);
  for (let i = 0; i < 5; i += 1) await look(page);
  await page.clock.runFor(PAUSE - 100);
  expect(asked).toHaveLength(1);
  await page.clock.runFor(100);
  await expect.poll(() => asked.length).toBe(2);
  await page.clock.runFor(4 * PAUSE);
  expect(asked).toHaveLength(2);
});

test("tabs that are seen at the same moment ask one after the other", async ({ app, page, newTab, context, person }) => {
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
  const asked = [];
  context.on("response", (response) => {
    // Whose access token has expired meanwhile is refused, and asks again with the next one.
    const isAnswer = response.status() === 200 && response.request().method() === "GET";
    if (response.url() === ME && isAnswer) asked.push(response.frame().page());
  });
  for (const tab of tabs) await look(tab);
  await page.clock.runFor(1);
  const waiting = () => page.evaluate(async () => (await navigator.locks.query()).pending.filter(({ name }) => name === "latchkey.look").length);
  await expect.poll(waiting).toBe(TABS - 1);
  await expect.poll(() => asked.length).toBe(1);
  while (asked.length < TABS) {
    const before = asked.length;
    // The tabs have one clock: whose turn begins while it moves may see the turn's end, too.
    await page.clock.runFor(TURN);
    await expect.poll(() => asked.length).toBeGreaterThan(before);
  }
  expect(new Set(asked).size, "each tab asked").toBe(TABS);
  expect(asked, "each tab asked once").toHaveLength(TABS);
});

test("nobody is asked while a form is on its way", async ({ api, app, page, person }) => {
  await app.signIn(person);
  await app.visit("Account");
  await stopTime(page);
  const asked = asks(app);
  const saved = await hold(page, ME, "PATCH");
  await page.getByLabel("Display name", { exact: true }).fill("Ada");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await saved.asked;
  await look(page);
  await page.clock.runFor(2 * PAUSE);
  expect(asked).toEqual([]);
  const name = `ada${Date.now().toString(36)}`;
  saved.letGo();
  await expect(notice(page)).toHaveText("Your profile is saved.");
  await api.changeElsewhere(person, { username: name });
  // The look is made up for.
  await page.clock.runFor(1);
  await expect.poll(() => asked.length).toBe(1);
  await expect(page.getByLabel("Username", { exact: true })).toHaveValue(name);
});

test("an answer from before a save does not put back what was saved", async ({ api, app, page, person }) => {
  await api.changeElsewhere(person, { display_name: "Ada" });
  await app.signIn(person);
  await app.visit("Account");
  const before = await api.userOf(person);
  const held = await hold(page, ME, "GET");
  await lookAfterPause(page);
  await held.asked;
  await page.getByLabel("Display name", { exact: true }).fill("Grace");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(notice(page)).toHaveText("Your profile is saved.");
  const again = page.waitForRequest((request) => request.url() === ME && request.method() === "GET");
  held.letGo({ json: before, headers: { "access-control-allow-origin": CLIENT } });
  await again;
  await expect(page.getByLabel("Display name", { exact: true })).toHaveValue("Grace");
});

const cors = { "access-control-allow-origin": CLIENT };
const FAILURES = {
  "a 500": { logs: 500, answer: { status: 500, headers: cors, body: "" } },
  "a 503": { logs: 503, answer: { status: 503, headers: { ...cors, "retry-after": "1" }, body: "" } },
  "a 403": { logs: 403, answer: { status: 403, headers: cors, json: { code: "permission_denied" } } },
  "a 404": { logs: 404, answer: { status: 404, headers: cors, json: { code: "not_found" } } },
  "a 401 of somebody else's": { logs: 401, answer: { status: 401, headers: { ...cors, "content-type": "text/html" }, body: "<h1>Unauthorized</h1>" } },
  "a page of a hotel": { answer: { status: 200, headers: { ...cors, "content-type": "text/html" }, body: "<!doctype html>" } },
  "no connection": { logs: "net::ERR_CONNECTION_REFUSED" },
};

for (const [what, { logs, answer }] of Object.entries(FAILURES)) {
  test(`a look that ends with ${what} signs nobody out and takes nothing away`, async ({ api, app, page, person, watch }) => {
    if (logs) watch.expectFailures(logs);
    await api.login(person);
    await app.signIn(person);
    await app.visitSessions();
    let failed = 0;
    const heal = await intercept(page, /\/api\/auth\/(me|sessions)\/$/, (route) => {
      failed += 1;
      return answer ? route.fulfill(answer) : route.abort("connectionrefused");
    });
    await lookAfterPause(page);
    await expect.poll(() => failed).toBe(2);
    await expect(app.signOutDevice).toHaveCount(2);
    await expect(app.alert).toHaveCount(0);
    await expect(page).toHaveURL(/\/sessions$/);
    heal();
    await api.login(person, IPHONE);
    await lookAfterPause(page);
    await expect(page.getByText("Safari on iPhone")).toBeVisible();
  });
}

test("a session that was ended elsewhere ends here with its reason", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(401);
  await app.signIn(person);
  const { access } = await app.tokens();
  await api.endSession((await api.login(person)).access, access.sid);
  await lookAfterPause(page);
  await app.expectSignedOut();
  await expect(page.getByText("Your session has ended.")).toBeVisible();
});

test("visitors' pages ask for nothing when they are seen again", async ({ app, page }) => {
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  await stopTime(page);
  const sent = [];
  page.on("request", (request) => sent.push(request.url()));
  await look(page);
  await page.clock.runFor(4 * PAUSE);
  expect(sent).toEqual([]);
});
