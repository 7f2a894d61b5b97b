// Two people in one browser, in two tabs: what the first one's page asked for before the second one came.
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

/** Every request of the browser that changes something of an account, with its token. */
function changes(context) {
  const sent = [];
  context.on("request", (request) => {
    const { pathname } = new URL(request.url());
    const changing = /^\/api\/auth\/(me\/|me\/avatar\/|logout\/all\/|password\/change\/)$/.test(pathname);
    if (changing && !/^(GET|OPTIONS)$/.test(request.method())) sent.push(`${request.method()} ${pathname}`);
  });
  return sent;
}

/** The first person's page and a second tab; the second person is signed up, and signed in nowhere. */
async function begin({ api, app, newTab, person, page: path }) {
  const somebody = await api.register();
  await app.signIn(person);
  const second = await newTab();
  await second.open("/");
  await second.expectSignedIn(person);
  await app.visit(path);
  return { second, somebody };
}

/** In the second tab the first person signs out and the second signs in; then what is held is let go. */
async function changePerson({ second, somebody, held, end, inTurn }) {
  await second.signOutButton.click();
  await second.expectLeft();
  await second.fillSignIn(somebody);
  // What holds its turn among tabs is over before the next person is signed in.
  if (inTurn) held.letGo(end);
  await second.expectSignedIn(somebody);
  if (!inTurn) held.letGo(end);
}

/** Both tabs are the second person's, with nothing left of the first, and stay so. */
async function expectTaken({ app, second, person, somebody }) {
  for (const tab of [app, second]) {
    await tab.open("/");
    await tab.expectSignedIn(somebody);
    await expect(tab.page.getByText(person.email)).toHaveCount(0);
    await expect(tab.page.locator("main img.avatar")).toHaveCount(0);
  }
}

/** The stories, for one way in which refresh tokens travel; `inTurn` if a refresh keeps other tabs waiting. */
export function twoPeople({ inTurn }) {
  test("what one person saves while a refresh is slow is not sent for the next", async ({ api, app, context, newTab, page, person, watch }) => {
    watch.expectFailures(401, 403);
    const { second, somebody } = await begin({ api, app, newTab, person, page: "Account" });
    await displayName(page).fill("The first");
    const held = await hold(page, REFRESH);
    const sent = changes(context);
    await app.accessExpires();
    await button(page, "Save").click();
    await held.asked;
    await changePerson({ second, somebody, held, inTurn });

    await expect(displayName(page), "the form is the next person's").toHaveValue("");
    await expectTaken({ app, second, person, somebody });
    expect(sent).toEqual([]);
    for (const one of [person, somebody]) expect((await api.login(one)).user.display_name).toBe("");
  });

  test("what one person saves is not sent again for the next when its token was refused", async ({ api, app, context, newTab, page, person, watch }) => {
    watch.expectFailures(401);
    const { second, somebody } = await begin({ api, app, newTab, person, page: "Account" });
    await displayName(page).fill("The first");
    const held = await hold(page, ME, "PATCH");
    const sent = changes(context);
    await button(page, "Save").click();
    await held.asked;
    await changePerson({ second, somebody, held, end: refused });

    await expect(displayName(page)).toHaveValue("");
    await expectTaken({ app, second, person, somebody });
    expect(sent).toEqual(["PATCH /api/auth/me/"]);
    expect((await api.login(somebody)).user.display_name).toBe("");
  });

  test("signing out everywhere does not sign the next person out", async ({ api, app, context, newTab, page, person, watch }) => {
    watch.expectFailures(401);
    const { second, somebody } = await begin({ api, app, newTab, person, page: "Sessions" });
    await expect(app.signOutEverywhere).toBeVisible();
    const held = await hold(page, `${API}/api/auth/logout/all/`);
    const sent = changes(context);
    await app.signOutEverywhere.click();
    await held.asked;
    await changePerson({ second, somebody, held, end: json(200, { revoked: 1 }) });

    await expectTaken({ app, second, person, somebody });
    expect(sent).toEqual(["POST /api/auth/logout/all/"]);
  });

  test("signing out everywhere is not sent for the next person after a slow refresh", async ({ api, app, context, newTab, page, person, watch }) => {
    watch.expectFailures(401, 403);
    const { second, somebody } = await begin({ api, app, newTab, person, page: "Sessions" });
    await expect(app.signOutEverywhere).toBeVisible();
    const held = await hold(page, REFRESH);
    const sent = changes(context);
    await app.accessExpires();
    await app.signOutEverywhere.click();
    await held.asked;
    await changePerson({ second, somebody, held, inTurn });

    await expectTaken({ app, second, person, somebody });
    expect(sent).toEqual([]);
  });

  test("one person's picture is not shown as the next one's", async ({ api, app, newTab, page, person, watch }) => {
    watch.expectFailures(401);
    const { second, somebody } = await begin({ api, app, newTab, person, page: "Account" });
    await page.getByLabel("Picture", { exact: true }).setInputFiles(file("me.png", "image/png", png(64, [20, 160, 60])));
    const held = await hold(page, `${API}/api/auth/me/avatar/`, "PUT");
    await button(page, "Upload picture").click();
    await held.asked;
    await changePerson({ second, somebody, held, end: json(200, { avatar_url: `/api/avatars/${"0".repeat(32)}.jpg` }) });

    await expect(displayName(page)).toHaveValue("");
    await expect(page.locator("main img.avatar")).toHaveCount(0);
    await expectTaken({ app, second, person, somebody });
  });

  test("deleting one person's account leaves the next one signed in", async ({ api, app, newTab, page, person, watch }) => {
    watch.expectFailures(401);
    const { second, somebody } = await begin({ api, app, newTab, person, page: "Account" });
    await page.getByLabel("Password", { exact: true }).fill(person.password);
    const held = await hold(page, ME, "DELETE");
    await button(page, "Delete account").click();
    await held.asked;
    await changePerson({ second, somebody, held, inTurn, end: { status: 204, headers: cors } });

    await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
    await expectTaken({ app, second, person, somebody });
  });

  test("one person's new password leaves the next one signed in", async ({ api, app, newTab, page, person, watch }) => {
    watch.expectFailures(401, 403);
    const { second, somebody } = await begin({ api, app, newTab, person, page: "Security" });
    await page.getByLabel("Current password", { exact: true }).fill(person.password);
    await page.getByLabel("New password", { exact: true }).fill("another-harbour-77-violets");
    const held = await hold(page, `${API}/api/auth/password/change/`);
    await button(page, "Change password").click();
    await held.asked;
    await changePerson({ second, somebody, held, inTurn });

    await expectTaken({ app, second, person, somebody });
  });
}
