// `test` with what every story needs: an API, a person of its own, a tab, further tabs and devices, and a watch on all of
// them. A project says in `stage` which API stands at the address that the client knows.
import { expect, test as base } from "@playwright/test";
import { STAGES } from "./addresses.js";
import { Api } from "./api.js";
import { App } from "./app.js";
import { Watch } from "./watch.js";

export { expect };

export const test = base.extend({
  stage: ["stories", { option: true }],

  // The edge before that API is the browser's whole internet.
  proxy: async ({ stage }, use) => use({ server: `http://127.0.0.1:${STAGES[stage].edge}` }),

  /** That API, without a browser. */
  api: async ({ stage }, use) => use(new Api(stage)),

  /** Somebody who signed up, and is signed in nowhere. */
  person: async ({ api }, use) => use(await api.register()),

  /** An administrator, signed in nowhere: for what is closed to everybody else. */
  administrator: async ({ api }, use) => use(api.createAdministrator()),

  /** Fails the test on any error in the console; `expectFailures` announces those that a test makes. */
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

  /** Opens a further tab of the same browser. */
  newTab: async ({ context }, use) => use(async () => new App(await context.newPage())),

  /** Opens a browser of its own, that shares nothing with the first; `failures` are those that the test makes there. */
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
