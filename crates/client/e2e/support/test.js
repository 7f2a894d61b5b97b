// `test` with the fixtures of every story: an API, a new person, a tab, more tabs and devices, and a watch on all of them. `stage`
// selects the API at the address that the client uses.
import { expect, test as base } from "@playwright/test";
import { STAGES } from "./addresses.js";
import { Api } from "./api.js";
import { App } from "./app.js";
import { Watch } from "./watch.js";

export { expect };

export const test = base.extend({
  stage: ["stories", { option: true }],

  // The browser reaches only the hosts behind the edge of that API.
  proxy: async ({ stage }, use) => use({ server: `http://127.0.0.1:${STAGES[stage].edge}` }),

  /** The API of the stage, used without a browser. */
  api: async ({ stage }, use) => use(new Api(stage)),

  /** A person who has an account, and is signed in nowhere. */
  person: async ({ api }, use) => use(await api.register()),

  /** An administrator, signed in nowhere. */
  administrator: async ({ api }, use) => use(api.createAdministrator()),

  /** Fails the test on any error in the console; a test announces those that it causes by `expectFailures`. */
  watch: [
    async ({ context }, use) => {
      const watch = await new Watch(context).begin();
      await use(watch);
      expect(watch.found, "errors in the browser").toEqual([]);
    },
    { auto: true },
  ],

  /** The first tab. */
  app: async ({ page }, use) => use(new App(page)),

  /** Opens another tab of the same browser. */
  newTab: async ({ context }, use) => use(async () => new App(await context.newPage())),

  /** Opens another browser that shares nothing with the first; `failures` are those that the test causes there. */
  newDevice: async ({ browser }, use) => {
    const opened = [];
    await use(async (options, failures = []) => {
      const context = await browser.newContext(options);
      const watch = await new Watch(context).begin();
      watch.expectFailures(...failures);
      opened.push({ context, watch });
      return new App(await context.newPage());
    });
    for (const { context, watch } of opened) {
      expect(watch.found, "errors in the browser of another device").toEqual([]);
      await context.close();
    }
  },
});
