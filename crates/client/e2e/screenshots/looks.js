// How a page is looked at, and where its pictures go.
import { join } from "node:path";

const WIDTHS = { wide: 1280, narrow: 360 };

export const LOOKS = ["light", "dark"].flatMap((colorScheme) =>
  Object.entries(WIDTHS).map(([size, width]) => ({ name: `${colorScheme}-${size}`, colorScheme, width })),
);

/** Makes the page look so; what it returns keeps a picture of it. */
export async function camera(page, { name, colorScheme, width }) {
  await page.setViewportSize({ width, height: 800 });
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  return (picture) => page.screenshot({ path: join(process.env.SCREENSHOTS, `${picture}-${name}.png`), fullPage: true });
}
