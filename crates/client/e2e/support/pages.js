// The table of pages as the browser tests go through it.
import { pages } from "../../pages.js";

const MAILED = "MailedLink";

/** Every page: `file`, `path`, `title`, `audience`, `entry`. */
export const PAGES = pages;

/** Those that one has to be signed in for, those that only administrators see, and those that mailed links open. */
export const isProtected = ({ audience }) => audience === "Users" || audience === "Administrators";
export const isForAdministrators = ({ audience }) => audience === "Administrators";
export const mailedPages = PAGES.filter(({ audience }) => audience === MAILED);

/** Where somebody may open a page by hand: a mailed one with a token, and one of many of a kind by a made-up name. */
export function addressOf({ path, audience }) {
  return path.replaceAll(/:\w+/g, "made-up") + (audience === MAILED ? "#token=made-up" : "");
}
