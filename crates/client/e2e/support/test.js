// `test` with what every story needs: a person of its own, a tab, further tabs and devices, and a watch on all of them.
import { expect, test as base } from "@playwright/test";
import * as api from "./api.js";
import { App } from "./app.js";
import { Watch } from "./watch.js";

export { api, expect };

export const test = base.extend({
  /** Somebody who signed up, and is signed in nowhere. */
  person: async ({}, use) => use(await api.register()),

  /** Fails the test on any error in the console; `expectFailures` announces those that a test makes. */
  watch: [
    async ({ context }, use) => {
      const watch = new Watch(context);
      await use(watch);
      expect(watch.found, "errors in the browser").toEqual([]);
    },
    { auto: true },
  ],

  /** The first tab. */
  app: async ({ page }, use) => use(new App(page)),

  /** Opens a further tab of the same browser. */
  newTab: async ({ context }, use) => use(async () => new App(await context.newPage())),

  /** Opens a browser of its own, that shares nothing with the first. */
  newDevice: async ({ browser }, use) => {
    const opened = [];
    await use(async (options) => {
      const context = await browser.newContext(options);
      opened.push({ context, watch: new Watch(context) });
      return new App(await context.newPage());
    });
    for (const { context, watch } of opened) {
      expect(watch.found, "errors in the browser of another device").toEqual([]);
      await context.close();
    }
  },
});
