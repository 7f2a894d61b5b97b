// The table of pages, for tests that visit every page.
import { pages } from "../../pages.js";

const MAILED = "MailedLink";

/** Every page: `file`, `path`, `title`, `audience`, `entry`. */
export const PAGES = pages;

/** Pages that require a session, pages for administrators only, and pages that mailed links open. */
export const isProtected = ({ audience }) => audience === "Users" || audience === "Administrators";
export const isForAdministrators = ({ audience }) => audience === "Administrators";
export const mailedPages = PAGES.filter(({ audience }) => audience === MAILED);

/** An address of a page: with a token if it is a mailed page, and with a placeholder for each parameter. */
export function addressOf({ path, audience }) {
  return path.replaceAll(/:\w+/g, "made-up") + (audience === MAILED ? "#token=made-up" : "");
}
