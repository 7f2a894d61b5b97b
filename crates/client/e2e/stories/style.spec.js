// What the stylesheet promises to pages of a product.
import { expect, test } from "../support/test.js";

/** Gives the navigation as many entries, whatever the product has. */
const setEntries = (page, count) =>
  page.getByRole("navigation").getByRole("list").evaluate((list, count) => {
    const entry = list.children[0];
    list.replaceChildren(...Array.from({ length: count }, () => entry.cloneNode(true)));
  }, count);

/** In how many rows the entries are. */
const rows = (page) =>
  page.getByRole("navigation").evaluate((navigation) => new Set([...navigation.querySelectorAll("a")].map((entry) => entry.offsetTop)).size);

test("the navigation of a product with six entries fits into one row", async ({ app, page, person }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await app.signIn(person);
  const left = () => page.locator(".home").evaluate((link) => link.getBoundingClientRect().left);
  const heading = page.getByRole("heading", { level: 1 });
  await setEntries(page, 3);
  expect(await left(), "the header is as wide as the page").toBe((await heading.boundingBox()).x);
  await setEntries(page, 6);
  expect(await rows(page)).toBe(1);
  await page.setViewportSize({ width: 360, height: 720 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

test("a panel keeps its parts apart, and fields of every element have a padding", async ({ app, page, person }) => {
  await app.signIn(person);
  await page.locator("main").evaluate((main) => {
    const make = (name, className, ...children) => {
      const element = document.createElement(name);
      element.className = className;
      element.append(...children);
      return element;
    };
    const fields = ["input", "select", "textarea"].map((name) => make("div", "field", make(name, "")));
    const name = make("div", "list-item-name", make("h3", ""));
    main.replaceChildren(make("section", "panel", make("h2", "", "A heading"), make("p", "", "A text"), make("button", "button", "A button"), ...fields, name));
  });
  const gaps = await page.locator("main > .panel").evaluate((panel) => {
    const boxes = [...panel.children].map((part) => part.getBoundingClientRect());
    return boxes.slice(1).map((box, index) => box.top - boxes[index].bottom);
  });
  expect(gaps).toEqual(gaps.map(() => 16));
  for (const name of ["input", "select", "textarea"]) {
    const field = page.locator(`main ${name}`);
    await expect(field).toHaveCSS("padding-left", "12px");
    const { height } = await field.boundingBox();
    expect(height).toBeGreaterThanOrEqual(44);
  }
  await expect(page.locator("main textarea"), "text does not touch the border").toHaveCSS("padding-top", "8px");
  await expect(page.locator("main h3")).toHaveCSS("margin-top", "0px");
});
