import { expect, test } from "../support/test.js";

const notes = (page) => page.getByRole("list", { name: "Your notes" }).getByRole("listitem");
const write = async (page, text) => {
  await page.getByRole("textbox", { name: "Note" }).fill(text);
  await page.getByRole("button", { name: "Save note" }).click();
};

/** Writes a note from another device. */
const post = (api, access, text) =>
  fetch(`http://127.0.0.1:${api.port}/api/notes/`, {
    method: "POST",
    headers: { authorization: `Bearer ${access}`, "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });

test("a note is written, stays and is deleted", async ({ app, page, person }) => {
  await app.signIn(person);
  await app.visit("Notes");
  await expect(page.getByRole("heading", { level: 1, name: "Notes" })).toBeVisible();
  await expect(page.getByText("You have no notes yet.")).toBeVisible();
  await write(page, "Buy milk");
  await expect(notes(page)).toHaveCount(1);
  await expect(page.getByText("You have no notes yet.")).toHaveCount(0);
  await expect(page.getByRole("textbox", { name: "Note" })).toHaveValue("");
  await page.reload();
  await expect(notes(page)).toContainText(["Buy milk"]);
  page.once("dialog", (dialog) => dialog.dismiss());
  await notes(page).getByRole("button", { name: "Delete note" }).click();
  await expect(notes(page)).toHaveCount(1);
  page.once("dialog", (dialog) => dialog.accept());
  await notes(page).getByRole("button", { name: "Delete note" }).click();
  await expect(notes(page)).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole("button", { name: "Save note" })).toBeVisible();
  await expect(notes(page)).toHaveCount(0);
});

test("an invalid note is refused at its field", async ({ app, page, person }) => {
  await app.signIn(person);
  await app.visit("Notes");
  await write(page, "Buy milk");
  await expect(page.getByRole("status")).toHaveText("The note is saved.");
  await page.getByRole("button", { name: "Save note" }).click();
  await expect(page.getByText("Write something.")).toBeVisible();
  await expect(page.getByRole("status"), "the message is about the note before").toBeEmpty();
  await write(page, "x".repeat(2001));
  await expect(page.getByText("this one has 2001")).toBeVisible();
  await expect(notes(page)).toHaveCount(1);
});

test("older notes come on demand", async ({ api, app, page, person }) => {
  const { access } = await api.login(person);
  for (let number = 1; number <= 21; number += 1) {
    await post(api, access, `Number ${number}`);
  }
  await app.signIn(person);
  await app.visit("Notes");
  await expect(notes(page)).toHaveCount(20);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(notes(page)).toHaveCount(21);
  await expect(notes(page).last()).toContainText("Number 1");
});

test("a visitor sees no notes", async ({ page }) => {
  await page.goto("/notes");
  await expect(page).toHaveURL("/login?next=%2Fnotes");
});
