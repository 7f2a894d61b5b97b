// The variants of a screenshot, and where screenshots are stored.
import { join } from "node:path";

const WIDTHS = { wide: 1280, narrow: 360 };

export const VARIANTS = ["light", "dark"].flatMap((colorScheme) =>
  Object.entries(WIDTHS).map(([size, width]) => ({ name: `${colorScheme}-${size}`, colorScheme, width })),
);

/** Sets the page to a variant, and returns a function that takes a screenshot. */
export async function camera(page, { name: variant, colorScheme, width }) {
  await page.setViewportSize({ width, height: 800 });
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  return (name) => page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}-${variant}.png`), fullPage: true });
}
