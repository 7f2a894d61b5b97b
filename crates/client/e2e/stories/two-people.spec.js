// Nothing is done in the name of somebody else: two people in one browser.
import { API } from "../support/addresses.js";
import { intercept } from "../support/intercept.js";
import { expect, test } from "../support/test.js";
import { twoPeople } from "../support/two-people.js";

twoPeople({ inTurn: false });

test("a sign-in that is answered after another one is ended, and changes nothing", async ({ api, app, newTab, page, person }) => {
  const somebody = await api.register();
  await app.open("/login");
  const second = await newTab();
  await second.open("/login");
  let answer;
  let fetched;
  const gate = new Promise((resolve) => (answer = resolve));
  const given = new Promise((resolve) => (fetched = resolve));
  await intercept(page, `${API}/api/auth/login/`, async (route) => {
    const response = await route.fetch();
    fetched(await response.json());
    await gate;
    return route.fulfill({ response });
  });
  await app.fillSignIn(person);
  const { refresh } = await given;
  await second.fillSignIn(somebody);
  await second.expectSignedIn(somebody);
  answer();

  await expect.poll(async () => (await api.refresh(refresh)).status).toBe(401);
  for (const tab of [app, second]) {
    await tab.expectSignedIn(somebody);
    await expect(tab.page.getByText(person.email)).toHaveCount(0);
  }
});
