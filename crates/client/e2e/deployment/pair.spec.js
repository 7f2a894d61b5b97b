// The deployed client and API in a browser. EMAIL and PASSWORD belong to an account; FILES is the folder that the static host serves.
import { readdirSync, renameSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { App } from "../support/app.js";
import { file, png } from "../support/pictures.js";
import { Watch } from "../support/watch.js";

const { EMAIL: email, PASSWORD: password, FILES: folder } = process.env;

test("signing in, reloading and signing out work", async ({ context, page }) => {
  const [app, watch] = [new App(page), new Watch(context)];
  await app.open("/sessions");
  await app.fillSignIn({ email, password });
  await expect(page).toHaveURL(/\/sessions$/);
  await page.reload();
  await expect(app.signOutDevice.first()).toBeVisible();
  await app.signOutButton.first().click();
  await app.expectSignedOut();
  expect(watch.found, "errors in the browser").toEqual([]);
});

test("a picture is stored in the bucket and served by the API", async ({ context, page }) => {
  const [app, watch] = [new App(page), new Watch(context)];
  await app.open("/account");
  await app.fillSignIn({ email, password });
  await page.getByLabel("Picture", { exact: true }).setInputFiles(file("me.png", "image/png", png(64, [20, 160, 60])));
  await page.getByRole("button", { name: "Upload picture", exact: true }).click();
  const width = () => page.locator("main img.avatar").evaluate((image) => image.naturalWidth);
  await expect.poll(width).toBe(64);
  await page.reload();
  await expect.poll(width).toBe(64);
  await app.signOutButton.first().click();
  await app.expectSignedOut();
  expect(watch.found, "errors in the browser").toEqual([]);
});

test("a browser that cached the page as the program for a year recovers", async ({ page }) => {
  const app = new App(page);
  const program = readdirSync(folder).find((name) => name.endsWith(".wasm"));
  renameSync(`${folder}/${program}`, `${folder}/missing`);
  try {
    await app.open("/login");
    await expect(page.getByText("Latchkey could not be started")).toBeVisible();
  } finally {
    renameSync(`${folder}/missing`, `${folder}/${program}`);
  }
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
});
