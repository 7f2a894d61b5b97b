// A form for existing data sends only the fields that the person changed.
import { ME } from "../support/app.js";
import { hold } from "../support/intercept.js";
import { expect, test } from "../support/test.js";

const displayName = (page) => page.getByLabel("Display name", { exact: true });
const username = (page) => page.getByLabel("Username", { exact: true });
const save = (page) => page.getByRole("button", { name: "Save", exact: true }).click();
const notice = (page) => page.getByRole("status");
const newName = () => `ada${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;

/** Opens the form. Returns a function that lists the bodies it has sent since. */
async function open({ api, app, person }) {
  await api.changeElsewhere(person, { display_name: "Ada" });
  await app.signIn(person);
  await app.visit("Account");
  await expect(displayName(app.page)).toHaveValue("Ada");
  const sent = app.record(ME, "PATCH");
  return () => sent.map((request) => request.postDataJSON());
}

test("a name that was set elsewhere is not overwritten by a form opened earlier", async ({ api, app, page, person }) => {
  const bodies = await open({ api, app, person });
  const name = newName();
  await api.changeElsewhere(person, { username: name });
  await displayName(page).fill("Ada Lovelace");
  await save(page);
  await expect(notice(page)).toHaveText("Your profile is saved.");
  expect(bodies()).toEqual([{ display_name: "Ada Lovelace" }]);
  expect(await api.userOf(person)).toMatchObject({ display_name: "Ada Lovelace", username: name });
  // The form shows the current values.
  await expect(username(page)).toHaveValue(name);
  await save(page);
  await expect(notice(page)).toContainText("Nothing has changed");
  expect(bodies()).toHaveLength(1);
});

test("nothing is sent when nothing was changed, and the page says so", async ({ api, app, page, person }) => {
  const bodies = await open({ api, app, person });
  await api.changeElsewhere(person, { display_name: "Grace" });
  await save(page);
  await expect(notice(page)).toHaveText("Nothing has changed, so there is nothing to save.");
  // A change that was undone is no change, and neither are blanks around a value.
  await displayName(page).fill("Adam");
  await displayName(page).fill(" Ada ");
  await save(page);
  await expect(notice(page)).toContainText("Nothing has changed");
  await expect(app.alert).toHaveCount(0);
  expect(bodies()).toEqual([]);
  expect((await api.userOf(person)).display_name).toBe("Grace");
});

test("of two changes of the same field the last one wins, for this field only", async ({ api, app, page, person }) => {
  const bodies = await open({ api, app, person });
  const name = newName();
  await api.changeElsewhere(person, { display_name: "Grace", username: name });
  await displayName(page).fill("Ada Byron");
  await save(page);
  await expect(notice(page)).toHaveText("Your profile is saved.");
  expect(bodies()).toEqual([{ display_name: "Ada Byron" }]);
  expect(await api.userOf(person)).toMatchObject({ display_name: "Ada Byron", username: name });
});

test("an emptied field is cleared, and no other", async ({ api, app, page, person }) => {
  const bodies = await open({ api, app, person });
  const name = newName();
  await username(page).fill(name);
  await save(page);
  await expect(notice(page)).toHaveText("Your profile is saved.");
  await username(page).fill("");
  await save(page);
  await expect(notice(page)).toHaveText("Your profile is saved.");
  await expect.poll(bodies).toEqual([{ username: name }, { username: null }]);
  expect(await api.userOf(person)).toMatchObject({ display_name: "Ada", username: null });
});

test("text typed while a form is being saved stays, and is a change of its own", async ({ api, app, page, person }) => {
  const bodies = await open({ api, app, person });
  const name = newName();
  await api.changeElsewhere(person, { username: name });
  const saved = await hold(page, ME, "PATCH");
  await displayName(page).fill("Ada B");
  await save(page);
  await saved.requested;
  await displayName(page).fill("Ada Byron");
  saved.release();
  await expect(notice(page)).toHaveText("Your profile is saved.");
  await expect(displayName(page)).toHaveValue("Ada Byron");
  await expect(username(page)).toHaveValue(name);
  await save(page);
  await expect.poll(bodies).toEqual([{ display_name: "Ada B" }, { display_name: "Ada Byron" }]);
});

test("a refused save keeps the typed text, which can be saved again", async ({ api, app, page, person, watch }) => {
  watch.expectFailures(409);
  const otherPerson = await api.register();
  const taken = newName();
  await api.changeElsewhere(otherPerson, { username: taken });
  const bodies = await open({ api, app, person });
  await username(page).fill(taken);
  await save(page);
  await expect(app.alert).toContainText("This username is taken.");
  await expect(username(page)).toHaveValue(taken);
  await save(page);
  await expect.poll(bodies).toEqual([{ username: taken }, { username: taken }]);
});
