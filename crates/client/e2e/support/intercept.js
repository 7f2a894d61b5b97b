// Requests that a test answers itself. Playwright's own `times` and `unroute` switch the interception off in the middle of a
// test, and Chromium forgets what it holds back at that moment: such a request is never answered, and the page waits forever.
// Here the interception lasts as long as the page, and only stops to answer.

/** Has `answer` take the requests to `url`, `times` of them at most. Resolves to what ends it earlier. */
export async function intercept(page, url, answer, { times = Infinity } = {}) {
  let left = times;
  await page.route(url, (route) => (left-- > 0 ? answer(route) : route.fallback()));
  return () => (left = 0);
}

/** Holds the next request to `url`, by this method, until the test lets it go. */
export async function hold(page, url, method = "POST") {
  let came;
  let go;
  const asked = new Promise((resolve) => (came = resolve));
  const release = new Promise((resolve) => (go = resolve));
  let held = false;
  await intercept(page, url, async (route) => {
    if (held || route.request().method() !== method) return route.fallback();
    held = true;
    came();
    const end = await release;
    return end ? route.fulfill(end) : route.continue();
  });
  return { asked, letGo: go };
}
