import { API, CLIENT } from "../support/addresses.js";
import { REFRESH } from "../support/app.js";
import { intercept } from "../support/intercept.js";
import { expect, test } from "../support/test.js";

test("signing in shows the account", async ({ app, page, person }) => {
  await app.signIn(person);

  await app.expectSignedIn(person);
  await expect(page).toHaveURL(`${CLIENT}/`);
  for (const name of ["Account", "Sessions"]) {
    await expect(page.getByRole("navigation").getByRole("link", { name, exact: true })).toBeVisible();
  }
  const { access, refresh } = await app.tokens();
  expect(access.sid).toBe(refresh.sid);
});

test("the email is accepted with spaces around it and in capitals", async ({ app, person }) => {
  await app.open("/login");
  await app.fillSignIn({ email: `  ${person.email.toUpperCase()} ` });
  await app.expectSignedIn(person);
});

test("a wrong password is reported, the typed email stays, and the right password then works", async ({ app, page, person, watch }) => {
  watch.expectFailures(401);
  const refreshes = app.record(REFRESH);
  await app.open("/login");
  await app.fillSignIn({ ...person, password: "not-my-password-77" });

  await expect(app.alert).toBeVisible();
  await expect(app.alert).not.toContainText(/401|token|no_active_account|null|undefined/i);
  await expect(app.identifier).toHaveValue(person.email);
  await expect(page).toHaveURL(/\/login/);
  expect(await app.tokens()).toEqual({});
  expect(refreshes, "a failed sign-in sends no refresh").toHaveLength(0);

  await app.password.fill(person.password);
  await app.signInButton.click();
  await app.expectSignedIn(person);
});

test("an unknown address gets the same message as a wrong password", async ({ app, person, watch }) => {
  watch.expectFailures(401);
  await app.open("/login");
  await app.fillSignIn({ ...person, password: "not-my-password-77" });
  await expect(app.alert).toBeVisible();
  const wrongPassword = await app.alert.innerText();

  await app.open("/login");
  await app.fillSignIn({ email: `nobody-${person.email}` });
  await expect(app.alert).toHaveText(wrongPassword);
});

test("an empty form sends nothing", async ({ app, page }) => {
  const sent = app.record(`${API}/api/auth/login/`);
  await app.open("/login");
  await app.signInButton.click();
  await expect(page).toHaveURL(/\/login/);
  await expect(app.signInHeading).toBeVisible();
  expect(sent).toHaveLength(0);
});

test("a second click while the first sign-in is on its way signs in once", async ({ app, page, person }) => {
  const sent = app.record(`${API}/api/auth/login/`);
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  await page.route("**/api/auth/login/", async (route) => {
    await gate;
    await route.continue();
  });
  await app.open("/login");
  await app.fillSignIn(person);
  await app.password.press("Enter");
  await app.signInButton.click({ force: true });
  release();

  await app.expectSignedIn(person);
  expect(sent).toHaveLength(1);
});

test("while the API is unreachable, the sign-in says so, and a second attempt works", async ({ app, page, person, watch }) => {
  watch.expectFailures("net::ERR_CONNECTION_REFUSED");
  await intercept(page, "**/api/auth/login/", (route) => route.abort("connectionrefused"), { times: 1 });
  await app.open("/login");
  await app.fillSignIn(person);
  await expect(app.alert.or(app.notice).first()).toBeVisible();

  await expect(app.signInButton).toBeEnabled();
  await app.signInButton.click();
  await app.expectSignedIn(person);
});
