import { REFRESH } from "../support/app.js";
import { expect, test } from "../support/test.js";

const HOURS = 3_600_000;

// Shifts the page's clock; the time since its start (`performance.now`) stays right.
const shiftClock = (shift) => {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length) super(...args);
      else super(RealDate.now() + shift);
    }
    static now() {
      return RealDate.now() + shift;
    }
  };
};

for (const [name, shift] of [["two hours slow", -2 * HOURS], ["two hours fast", 2 * HOURS]]) {
  test(`a clock that is ${name} changes nothing`, async ({ app, page, person }) => {
    await page.addInitScript(shiftClock, shift);
    await app.signIn(person);
    expect(Math.abs((await page.evaluate(() => Date.now())) - Date.now() - shift)).toBeLessThan(60_000);
    const before = await app.tokens();
    const refreshes = app.record(REFRESH);
    await app.visitSessions();
    await app.accessExpires();
    await app.visit("Account");
    await app.visitSessions();
    await page.reload();
    await expect(app.signOutButton).toBeVisible();

    const after = await app.tokens();
    expect(after.refresh.sid).toBe(before.refresh.sid);
    // One refresh for each lifetime that has passed, and none because of the clock.
    expect(refreshes.length).toBeGreaterThan(0);
    expect(refreshes.length).toBeLessThanOrEqual(3);
    expect(after.refresh.gen).toBe(before.refresh.gen + refreshes.length);
  });

  test(`a session started with a right clock continues with one that is ${name}`, async ({ app, newTab, context, person }) => {
    await app.signIn(person);
    const before = await app.tokens();
    await context.addInitScript(shiftClock, shift);
    const later = await newTab();
    const refreshes = later.record(REFRESH);
    await later.open("/sessions");
    await expect(later.signOutDevice.first()).toBeVisible();
    expect((await later.tokens()).refresh.sid).toBe(before.refresh.sid);
    expect(refreshes.length).toBeLessThanOrEqual(2);
  });
}
