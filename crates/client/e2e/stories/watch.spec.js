// What every other story relies on: the watch excuses a token for its age, and no other refusal.
import { API } from "../support/addresses.js";
import { expect, test } from "../support/test.js";
import { Watch } from "../support/watch.js";

test("an expired token is refused on any path without an error, and another one is an error", async ({ app, context, page, person, watch }) => {
  watch.expectFailures(401);
  const strict = new Watch(context);
  await app.signIn(person);
  const { jwt } = await app.access();
  const { refresh } = await app.tokens();
  await app.accessExpires();

  const logged = [];
  page.on("console", (message) => logged.push(message.location().url));
  const address = `${API}/api/auth/logout/all/`;
  const ask = async (token) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = [address, { method: "POST", headers }];
    expect(await page.evaluate(([address, init]) => fetch(address, init).then(({ status }) => status), request)).toBe(401);
  };
  await ask(jwt);
  await expect.poll(() => logged).toContain(address);
  expect(strict.found).toEqual([]);
  await ask(refresh.jwt);
  await expect.poll(() => strict.found).toEqual([expect.stringContaining(address)]);
});
