// Intercepts requests. Playwright's own `times` and `unroute` switch the interception off in the middle of a test, and Chromium
// then drops the requests that it is holding: they get no response, and the page waits forever. Here the interception lasts as
// long as the page, and only passes later requests on.

/** Passes at most `times` requests to `url` to `handle`. Resolves to a function that stops it earlier. */
export async function intercept(page, url, handle, { times = Infinity } = {}) {
  let left = times;
  await page.route(url, (route) => (left-- > 0 ? handle(route) : route.fallback()));
  return () => (left = 0);
}

/** Holds the next request to `url` with this method. `requested` resolves when it has arrived; `release` sends it on, or
 * responds with its argument. */
export async function hold(page, url, method = "POST") {
  let arrive;
  let release;
  const requested = new Promise((resolve) => (arrive = resolve));
  const released = new Promise((resolve) => (release = resolve));
  let held = false;
  await intercept(page, url, async (route) => {
    if (held || route.request().method() !== method) return route.fallback();
    held = true;
    arrive();
    const response = await released;
    return response ? route.fulfill(response) : route.continue();
  });
  return { requested, release };
}
