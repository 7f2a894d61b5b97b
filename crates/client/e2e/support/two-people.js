// Two people in one browser, in two tabs: requests of the first person's page must not affect the second person.
import { API, CLIENT } from "./addresses.js";
import { ME, REFRESH } from "./app.js";
import { hold } from "./intercept.js";
import { file, png } from "./pictures.js";
import { expect, test } from "./test.js";

const button = (page, name) => page.getByRole("button", { name, exact: true });
const displayName = (page) => page.getByLabel("Display name", { exact: true });
const cors = { "access-control-allow-origin": CLIENT, "access-control-allow-credentials": "true" };
const json = (status, body) => ({ status, headers: { ...cors, "content-type": "application/json" }, body: JSON.stringify(body) });
const refused = json(401, { code: "token_not_valid", reason: "token_expired" });

/** Records every request of the browser that changes an account. */
function changes(context) {
  const sent = [];
  context.on("request", (request) => {
    const { pathname } = new URL(request.url());
    const changing = /^\/api\/auth\/(me\/|me\/avatar\/|logout\/all\/|password\/change\/)$/.test(pathname);
    if (changing && !/^(GET|OPTIONS)$/.test(request.method())) sent.push(`${request.method()} ${pathname}`);
  });
  return sent;
}

/** Opens the first person's page and a second tab; the second person has an account, and is signed in nowhere. */
async function begin({ api, app, newTab, person, page: path }) {
  const otherPerson = await api.register();
  await app.signIn(person);
  const second = await newTab();
  await second.open("/");
  await second.expectSignedIn(person);
  await app.visit(path);
  return { second, otherPerson };
}

/** In the second tab the first person signs out and the second signs in; then the held request is released. */
async function changePerson({ second, otherPerson, held, response, inTurn }) {
  await second.signOutButton.click();
  await second.expectSignInPage();
  await second.fillSignIn(otherPerson);
  // A request that holds the tabs' lock must end before the next person is signed in.
  if (inTurn) held.release(response);
  await second.expectSignedIn(otherPerson);
  if (!inTurn) held.release(response);
}

/** Both tabs belong to the second person and show nothing of the first, also after loading the page. */
async function expectSecondPerson({ app, second, person, otherPerson }) {
  for (const tab of [app, second]) {
    await tab.open("/");
    await tab.expectSignedIn(otherPerson);
    await expect(tab.page.getByText(person.email)).toHaveCount(0);
    await expect(tab.page.locator("main img.avatar")).toHaveCount(0);
  }
}

/** The stories, for one transport of refresh tokens; `inTurn` says whether a refresh makes other tabs wait. */
export function twoPeople({ inTurn }) {
  test("a save during a slow refresh is not sent for the next person", async ({ api, app, context, newTab, page, person, watch }) => {
    watch.expectFailures(401, 403);
    const { second, otherPerson } = await begin({ api, app, newTab, person, page: "Account" });
    await displayName(page).fill("The first");
    const held = await hold(page, REFRESH);
    const sent = changes(context);
    await app.accessExpires();
    await button(page, "Save").click();
    await held.requested;
    await changePerson({ second, otherPerson, held, inTurn });

    await expect(displayName(page), "the form belongs to the next person").toHaveValue("");
    await expectSecondPerson({ app, second, person, otherPerson });
    expect(sent).toEqual([]);
    for (const account of [person, otherPerson]) expect((await api.login(account)).user.display_name).toBe("");
  });

  test("a save whose token was refused is not repeated for the next person", async ({ api, app, context, newTab, page, person, watch }) => {
    watch.expectFailures(401);
    const { second, otherPerson } = await begin({ api, app, newTab, person, page: "Account" });
    await displayName(page).fill("The first");
    const held = await hold(page, ME, "PATCH");
    const sent = changes(context);
    await button(page, "Save").click();
    await held.requested;
    await changePerson({ second, otherPerson, held, response: refused });

    await expect(displayName(page)).toHaveValue("");
    await expectSecondPerson({ app, second, person, otherPerson });
    expect(sent).toEqual(["PATCH /api/auth/me/"]);
    expect((await api.login(otherPerson)).user.display_name).toBe("");
  });

  test("signing out everywhere does not sign the next person out", async ({ api, app, context, newTab, page, person, watch }) => {
    watch.expectFailures(401);
    const { second, otherPerson } = await begin({ api, app, newTab, person, page: "Sessions" });
    await expect(app.signOutEverywhere).toBeVisible();
    const held = await hold(page, `${API}/api/auth/logout/all/`);
    const sent = changes(context);
    await app.signOutEverywhere.click();
    await held.requested;
    await changePerson({ second, otherPerson, held, response: json(200, { revoked: 1 }) });

    await expectSecondPerson({ app, second, person, otherPerson });
    expect(sent).toEqual(["POST /api/auth/logout/all/"]);
  });

  test("signing out everywhere is not sent for the next person after a slow refresh", async ({ api, app, context, newTab, page, person, watch }) => {
    watch.expectFailures(401, 403);
    const { second, otherPerson } = await begin({ api, app, newTab, person, page: "Sessions" });
    await expect(app.signOutEverywhere).toBeVisible();
    const held = await hold(page, REFRESH);
    const sent = changes(context);
    await app.accessExpires();
    await app.signOutEverywhere.click();
    await held.requested;
    await changePerson({ second, otherPerson, held, inTurn });

    await expectSecondPerson({ app, second, person, otherPerson });
    expect(sent).toEqual([]);
  });

  test("one person's picture is not shown as the next person's", async ({ api, app, newTab, page, person, watch }) => {
    watch.expectFailures(401);
    const { second, otherPerson } = await begin({ api, app, newTab, person, page: "Account" });
    await page.getByLabel("Picture", { exact: true }).setInputFiles(file("me.png", "image/png", png(64, [20, 160, 60])));
    const held = await hold(page, `${API}/api/auth/me/avatar/`, "PUT");
    await button(page, "Upload picture").click();
    await held.requested;
    await changePerson({ second, otherPerson, held, response: json(200, { avatar_url: `/api/avatars/${"0".repeat(32)}.jpg` }) });

    await expect(displayName(page)).toHaveValue("");
    await expect(page.locator("main img.avatar")).toHaveCount(0);
    await expectSecondPerson({ app, second, person, otherPerson });
  });

  test("deleting one person's account leaves the next person signed in", async ({ api, app, newTab, page, person, watch }) => {
    watch.expectFailures(401);
    const { second, otherPerson } = await begin({ api, app, newTab, person, page: "Account" });
    await page.getByLabel("Password", { exact: true }).fill(person.password);
    const held = await hold(page, ME, "DELETE");
    await button(page, "Delete account").click();
    await held.requested;
    await changePerson({ second, otherPerson, held, inTurn, response: { status: 204, headers: cors } });

    await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
    await expectSecondPerson({ app, second, person, otherPerson });
  });

  test("one person's new password leaves the next person signed in", async ({ api, app, newTab, page, person, watch }) => {
    watch.expectFailures(401, 403);
    const { second, otherPerson } = await begin({ api, app, newTab, person, page: "Security" });
    await page.getByLabel("Current password", { exact: true }).fill(person.password);
    await page.getByLabel("New password", { exact: true }).fill("another-harbour-77-violets");
    const held = await hold(page, `${API}/api/auth/password/change/`);
    await button(page, "Change password").click();
    await held.requested;
    await changePerson({ second, otherPerson, held, inTurn });

    await expectSecondPerson({ app, second, person, otherPerson });
  });
}
