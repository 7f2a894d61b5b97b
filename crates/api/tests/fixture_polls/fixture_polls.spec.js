import { expect, test } from "../support/test.js";

const button = (page, name) => page.getByRole("button", { name, exact: true });
const open = async ({ app, page, person }) => {
  await app.signIn(person);
  await app.visit("Polls");
  await expect(page.getByRole("heading", { level: 1, name: "Polls" })).toBeVisible();
};

test.use({ timezoneId: "Europe/Berlin" });

test("the item of a list that the API refuses has the error and the focus", async ({ app, page, person, watch }) => {
  watch.expectFailures(400);
  await open({ app, page, person });
  await page.getByLabel("Question").fill(`Where to, ${person.email}?`);
  for (const number of [1, 2]) await page.getByLabel(`Choice ${number}`).fill(`Place ${number}`);
  await page.getByRole("radio", { name: "Secret" }).check();
  await button(page, "Ask").click();

  const third = page.getByLabel("Choice 3");
  await expect(third).toHaveAccessibleDescription("Offer something.");
  await expect(third).toBeFocused();
  await expect(page.locator("[aria-invalid=true]")).toHaveCount(1);

  await third.fill("Place 3");
  await button(page, "Ask").click();
  await expect(page.getByRole("status")).toHaveText("The poll is open.");
  await expect(page.locator("[aria-invalid=true]")).toHaveCount(0);
});

test("radio buttons that the API refuses have the error, and the first one the focus", async ({ app, page, person, watch }) => {
  watch.expectFailures(400);
  await open({ app, page, person });
  await page.getByLabel("Question").fill(`What for, ${person.email}?`);
  for (const number of [1, 2, 3]) await page.getByLabel(`Choice ${number}`).fill(`Reason ${number}`);
  await button(page, "Ask").click();

  const group = page.getByRole("radiogroup", { name: "Votes" });
  await expect(group).toHaveAttribute("aria-invalid", "true");
  await expect(group).toHaveAccessibleDescription(/required/);
  await expect(page.getByRole("radio", { name: "Secret" })).toBeFocused();
  const request = page.waitForRequest((sent) => sent.url().endsWith("/api/fixture-polls/") && sent.method() === "POST");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: "By name" })).toBeChecked();
  await button(page, "Ask").click();
  expect((await request).postDataJSON().kind).toBe("by_name");
  await expect(page.getByRole("status")).toHaveText("The poll is open.");
});

test("a day and a time of the reader's zone is sent in UTC", async ({ app, page, person }) => {
  await open({ app, page, person });
  await button(page, "Count").click();
  const since = page.getByLabel("Since");
  await expect(since).toHaveAccessibleDescription("Enter a day and a time.");
  await since.fill("2026-07-01T12:00");
  const request = page.waitForRequest(/fixture-polls-since/);
  await button(page, "Count").click();
  expect(new URL((await request).url()).searchParams.get("since")).toBe("2026-07-01T10:00:00Z");
  await expect(page.getByRole("status")).toHaveText("Polls since then: 0.");
});
