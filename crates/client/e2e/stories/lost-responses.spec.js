// The network drops the response to a step that the API has carried out. The client must not report that the step failed or that
// the session has ended.
import { randomBytes } from "node:crypto";
import { API } from "../support/addresses.js";
import { PASSWORD, claims } from "../support/api.js";
import { ME } from "../support/app.js";
import { hold } from "../support/intercept.js";
import { linkTo } from "../support/mail.js";
import { expect, test } from "../support/test.js";

const NEW_PASSWORD = "copper-meadow-77-lighthouse";
const CHANGE = `${API}/api/auth/password/change/`;
const RESET = `${API}/api/auth/password/reset/confirm/`;
const VERIFY = `${API}/api/auth/email/verify/`;
const REGISTER = `${API}/api/auth/register/`;
const CHANGE_EMAIL = `${API}/api/auth/email/change/`;
const END_ALL = `${API}/api/auth/logout/all/`;

/** How often the client sends a step by itself before it reports a failure. */
const ATTEMPTS = 3;

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const fill = (page, name, text) => page.getByLabel(name, { exact: true }).fill(text);

/** The API processes the requests, but their first `count` responses never arrive. Returns the requests that were sent. */
async function loseResponses(page, watch, [method, url], count) {
  watch.expectFailures("net::ERR_CONNECTION_RESET");
  const sent = [];
  await page.route(url, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    sent.push(route.request());
    if (sent.length > count) return route.continue();
    await route.fetch();
    return route.abort("connectionreset");
  });
  return sent;
}

async function changePassword(app, person) {
  await app.visit("Security");
  await fill(app.page, "Current password", person.password);
  await fill(app.page, "New password", NEW_PASSWORD);
  await press(app.page, "Change password");
}

test("a change of the password whose response is lost is repeated automatically", async ({ api, app, page, person, watch }) => {
  await app.signIn(person);
  const sent = await loseResponses(page, watch, ["POST", CHANGE], 1);
  await changePassword(app, person);
  await expect(page.getByRole("status")).toContainText("Your password is changed");
  expect(sent).toHaveLength(2);
  const [first, second] = sent.map((request) => request.headers()["idempotency-key"]);
  expect(second).toBe(first);
  await app.visitSessions();
  await api.login({ ...person, password: NEW_PASSWORD });
});

test("pressing again after a change of the password succeeds", async ({ api, app, page, person, watch }) => {
  await app.signIn(person);
  await loseResponses(page, watch, ["POST", CHANGE], ATTEMPTS);
  await changePassword(app, person);
  await expect(app.alert).toContainText("cannot be reached");
  await press(page, "Change password");
  await expect(page.getByRole("status")).toContainText("Your password is changed");
  await app.visitSessions();
  await api.login({ ...person, password: NEW_PASSWORD });
});

test("reloading the page after a change of the password reports the change", async ({ app, page, person, watch }) => {
  await app.signIn(person);
  await loseResponses(page, watch, ["POST", CHANGE], ATTEMPTS);
  await changePassword(app, person);
  await expect(app.alert).toContainText("cannot be reached");
  watch.expectFailures(401);
  await page.reload();
  await app.expectSignedOut();
  await expect(page.getByText("while your password was being changed")).toBeVisible();
  await expect(page.getByText("session has ended")).toBeHidden();
  await app.fillSignIn({ ...person, password: NEW_PASSWORD });
  await expect(page.getByRole("heading", { name: "Security", exact: true })).toBeVisible();
});

test("another tab reports the change, too", async ({ app, newTab, page, person, watch }) => {
  await app.signIn(person);
  const tab = await newTab();
  await tab.open("/");
  await tab.expectSignedIn(person);
  await loseResponses(page, watch, ["POST", CHANGE], ATTEMPTS);
  await changePassword(app, person);
  await expect(app.alert).toContainText("cannot be reached");
  watch.expectFailures(401);
  await tab.visit("Sessions");
  await tab.expectSignedOut();
  await expect(tab.page.getByText("while your password was being changed")).toBeVisible();
  await expect(page.getByText("while your password was being changed")).toBeVisible();
});

test("pressing again after a reset succeeds", async ({ api, app, page, person, watch }) => {
  await app.open("/forgot-password");
  await fill(page, "Email", person.email);
  await press(page, "Send reset link");
  await expect(app.alert).toBeVisible();
  await app.open(await linkTo("/reset-password", person.email));
  await loseResponses(page, watch, ["POST", RESET], ATTEMPTS);
  await fill(page, "New password", NEW_PASSWORD);
  await press(page, "Set password");
  await expect(app.alert).toContainText("cannot be reached");
  await press(page, "Set password");
  await expect(app.alert).toContainText("is set");
  await api.login({ ...person, password: NEW_PASSWORD });
});

test("opening the link again after a lost confirmation succeeds", async ({ app, page, person, watch }) => {
  const link = await linkTo("/verify-email", person.email);
  await app.open(link);
  await loseResponses(page, watch, ["POST", VERIFY], 2 * ATTEMPTS);
  for (let presses = 0; presses < 2; presses += 1) {
    await press(page, "Confirm email");
    await expect(app.alert).toContainText("cannot be reached");
  }
  await app.open("/login");
  await app.open(link);
  await press(page, "Confirm email");
  await expect(app.alert).toContainText("is confirmed");
});

test("pressing again after signing up signs in", async ({ app, page, watch }) => {
  const email = `grace-${Date.now()}@example.com`;
  await app.open("/register");
  await loseResponses(page, watch, ["POST", REGISTER], ATTEMPTS);
  await fill(page, "Email", email);
  await fill(page, "Password", NEW_PASSWORD);
  await press(page, "Create account");
  await expect(app.alert).toContainText("cannot be reached");
  await press(page, "Create account");
  await app.expectSignedIn({ email });
});

test("pressing again after requesting another address reports the mail, which arrives", async ({ app, page, person, watch }) => {
  const address = `new-${Date.now()}@example.com`;
  await app.signIn(person);
  await app.visit("Security");
  const sent = await loseResponses(page, watch, ["POST", CHANGE_EMAIL], ATTEMPTS);
  await fill(page, "New email", address);
  await fill(page, "Password", person.password);
  await press(page, "Change email");
  await expect(app.alert).toContainText("cannot be reached");
  await press(page, "Change email");
  await expect(page.getByRole("status")).toContainText("sent a link");
  await linkTo("/change-email", address);

  // A later request for the same address sends another mail.
  await fill(page, "New email", address);
  await fill(page, "Password", person.password);
  await press(page, "Change email");
  await expect.poll(() => sent.length).toBe(ATTEMPTS + 2);
  const keys = sent.map((request) => request.headers()["idempotency-key"]);
  expect(new Set(keys.slice(0, -1)).size).toBe(1);
  expect(keys.at(-1)).not.toBe(keys[0]);
});

test("pressing again after deleting the account reports that it is deleted", async ({ app, page, person, watch }) => {
  await app.signIn(person);
  await app.visit("Account");
  await loseResponses(page, watch, ["DELETE", ME], ATTEMPTS);
  await fill(page, "Password", person.password);
  await press(page, "Delete account");
  await expect(app.alert).toContainText("cannot be reached");
  await press(page, "Delete account");
  await app.expectSignedOut();
  await expect(page.getByText("Your account is deleted")).toBeVisible();
});

test("pressing again after signing out everywhere reports that every device is signed out", async ({ app, page, person, watch }) => {
  await app.signIn(person);
  await app.visitSessions();
  await loseResponses(page, watch, ["POST", END_ALL], 1);
  await app.signOutEverywhere.click();
  await expect(app.alert).toContainText("cannot be reached");
  watch.expectFailures(401);
  await app.signOutEverywhere.click();
  await app.expectSignedOut();
  await expect(page.getByText("Every device is signed out")).toBeVisible();
});

const newPerson = () => ({ email: `grace-${randomBytes(6).toString("hex")}@example.com`, password: PASSWORD });

async function signUp(app, { email, password }) {
  await app.open("/register");
  await fill(app.page, "Email", email);
  await fill(app.page, "Password", password);
  await press(app.page, "Create account");
  await expect(app.alert).toContainText("sent you a mail");
}

/** Signs up, and opens the mailed link. */
async function openLink(app) {
  const person = newPerson();
  await signUp(app, person);
  await app.open(await linkTo("/verify-email", person.email));
  return person;
}

/** The same, and the response to the confirmation is lost. Returns the person, and the requests that are sent. */
async function loseConfirmation(app, watch) {
  const person = await openLink(app);
  const sent = await loseResponses(app.page, watch, ["POST", VERIFY], ATTEMPTS);
  await press(app.page, "Confirm email");
  await expect(app.alert).toContainText("cannot be reached");
  return { person, sent };
}

/** Another person, with a confirmed address. */
async function confirmedPerson(api) {
  const person = newPerson();
  await api.signUp({ email: person.email });
  const token = (await linkTo("/verify-email", person.email)).split("=")[1];
  expect((await api.confirm({ token })).status).toBe(200);
  return person;
}

function expectSameRequests(sent) {
  expect(sent).toHaveLength(ATTEMPTS + 1);
  expect(new Set(sent.map((request) => request.postData())).size).toBe(1);
  expect(new Set(sent.map((request) => request.headers()["idempotency-key"])).size).toBe(1);
}

/** Waits until the person has this many sessions, apart from those that this looks with. */
async function expectSessions(api, person, count) {
  const others = async () => {
    const { access } = await api.login(person);
    const all = await api.sessions(access);
    await api.endSession(access, claims(access).sid);
    return all.length - 1;
  };
  await expect.poll(others).toBe(count);
}

async function expectStillSignedIn(tab, person) {
  await tab.open("/");
  await tab.expectSignedIn(person);
}

for (const stage of ["confirming", "confirmingCookie"]) {
  test.describe(`a sign-up that must be confirmed, ${stage}`, () => {
    test.use({ stage });

    test("pressing again after signing in with the password confirms, and keeps that session", async ({ api, app, newTab, page, watch }) => {
      const { person, sent } = await loseConfirmation(app, watch);
      const tab = await newTab();
      await tab.signIn(person);
      await press(page, "Confirm email");
      await expect(app.alert).toHaveText("Thank you: your email is confirmed.");
      expectSameRequests(sent);
      await expectStillSignedIn(tab, person);
      await expectSessions(api, person, 1);
    });

    test("pressing again after another sign-up signs in, and keeps the other sign-up", async ({ app, newTab, page, watch }) => {
      const { person, sent } = await loseConfirmation(app, watch);
      const tab = await newTab();
      const other = newPerson();
      await signUp(tab, other);
      await press(page, "Confirm email");
      await expect(app.alert).toContainText("you are signed in");
      expectSameRequests(sent);
      await expectStillSignedIn(app, person);
      expect(await page.evaluate(() => localStorage.getItem("latchkey.registration"))).not.toBe(null);
    });

    test("pressing again after another person has signed in confirms, and keeps that person signed in", async ({ api, app, newTab, page, watch }) => {
      const other = await confirmedPerson(api);
      const { person, sent } = await loseConfirmation(app, watch);
      const tab = await newTab();
      await tab.signIn(other);
      await press(page, "Confirm email");
      await expect(app.alert).toHaveText("Thank you: your email is confirmed.");
      expectSameRequests(sent);
      for (const each of [app, tab]) await expectStillSignedIn(each, other);
      await expectSessions(api, person, 0);
    });

    test("the same link in two tabs signs in once, and the second response ends nothing", async ({ api, app, newTab, page, watch }) => {
      const { person, sent } = await loseConfirmation(app, watch);
      const tab = await newTab();
      await tab.open(await linkTo("/verify-email", person.email));
      await press(tab.page, "Confirm email");
      await expect(tab.alert).toContainText("you are signed in");
      await press(page, "Confirm email");
      await expect(app.alert).toContainText("you are signed in");
      expectSameRequests(sent);
      for (const each of [app, tab]) await expectStillSignedIn(each, person);
      await expectSessions(api, person, 1);
    });

    test("pressing again after another person has signed in and out signs in", async ({ api, app, newTab, page, watch }) => {
      const other = await confirmedPerson(api);
      const { person, sent } = await loseConfirmation(app, watch);
      const tab = await newTab();
      await tab.signIn(other);
      await tab.signOutButton.click();
      await tab.expectSignInPage();
      await press(page, "Confirm email");
      await expect(app.alert).toContainText("you are signed in");
      expectSameRequests(sent);
      await expectStillSignedIn(app, person);
    });
  });
}

test.describe("a sign-up that must be confirmed", () => {
  test.use({ stage: "confirming" });

  test("a confirmation that arrives after another person's sign-in is reported, and its session ends", async ({ api, app, newTab, page }) => {
    const other = await confirmedPerson(api);
    const person = await openLink(app);
    const held = await hold(page, VERIFY);
    await press(page, "Confirm email");
    await held.requested;
    const tab = await newTab();
    await tab.signIn(other);
    held.release();
    await expect(app.alert).toHaveText("Thank you: your email is confirmed.");
    for (const each of [app, tab]) await expectStillSignedIn(each, other);
    await expectSessions(api, person, 0);
  });
});
