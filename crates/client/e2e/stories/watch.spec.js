// Every other story relies on this: the watch excuses the refusal of an expired token, and no other.
import { API } from "../support/addresses.js";
import { expect, test } from "../support/test.js";
import { Watch } from "../support/watch.js";

test("the refusal of an expired token is excused on any path, and that of any other token is an error", async ({ app, context, page, person, watch }) => {
  watch.expectFailures(401);
  const strict = new Watch(context);
  await app.signIn(person);
  const { jwt } = await app.access();
  const { refresh } = await app.tokens();
  await app.accessExpires();

  const logged = [];
  page.on("console", (message) => logged.push(message.location().url));
  const address = `${API}/api/auth/logout/all/`;
  const send = async (token) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = [address, { method: "POST", headers }];
    expect(await page.evaluate(([address, init]) => fetch(address, init).then(({ status }) => status), request)).toBe(401);
  };
  await send(jwt);
  await expect.poll(() => logged).toContain(address);
  expect(strict.found).toEqual([]);
  await send(refresh.jwt);
  await expect.poll(() => strict.found).toEqual([expect.stringContaining(address)]);
});
