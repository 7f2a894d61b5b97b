// Two people in one browser: no request of one is sent in the name of the other.
import { API } from "../support/addresses.js";
import { intercept } from "../support/intercept.js";
import { expect, test } from "../support/test.js";
import { twoPeople } from "../support/two-people.js";

twoPeople({ inTurn: false });

test("a sign-in whose response arrives after another sign-in is revoked, and changes nothing", async ({ api, app, newTab, page, person }) => {
  const otherPerson = await api.register();
  await app.open("/login");
  const second = await newTab();
  await second.open("/login");
  let release;
  let fetched;
  const gate = new Promise((resolve) => (release = resolve));
  const tokens = new Promise((resolve) => (fetched = resolve));
  await intercept(page, `${API}/api/auth/login/`, async (route) => {
    const response = await route.fetch();
    fetched(await response.json());
    await gate;
    return route.fulfill({ response });
  });
  await app.fillSignIn(person);
  const { refresh } = await tokens;
  await second.fillSignIn(otherPerson);
  await second.expectSignedIn(otherPerson);
  release();

  await expect.poll(async () => (await api.refresh(refresh)).status).toBe(401);
  for (const tab of [app, second]) {
    await tab.expectSignedIn(otherPerson);
    await expect(tab.page.getByText(person.email)).toHaveCount(0);
  }
});
