// Reads the API's mails: it writes each mail into a folder, in the form that a mail server would receive.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@playwright/test";

const QUOTED = /^Content-Transfer-Encoding: quoted-printable/im;

const unquoted = (text) =>
  text.replace(/=\r?\n/g, "").replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));

/** The text of a mail, with the quoted-printable parts decoded. */
function decoded(name) {
  const parts = readFileSync(join(process.env.OUTBOX, name), "utf8").split(/^--/m);
  return parts.map((part) => (QUOTED.test(part) ? unquoted(part) : part)).join("--");
}

/** The mails to `address`, oldest first. */
export function mailsTo(address) {
  const names = readdirSync(process.env.OUTBOX).filter((name) => name.endsWith(".eml"));
  return names.map(decoded).filter((mail) => mail.toLowerCase().includes(`to: ${address.toLowerCase()}`));
}

/** The path of the link to `page` in the newest mail to `address`, such as `/verify-email#token=…`. */
export async function linkTo(page, address) {
  const link = new RegExp(`${page}#token=[\\w-]+`);
  const found = () => mailsTo(address).map((mail) => link.exec(mail)?.[0]).filter(Boolean);
  await expect.poll(() => found().length, { message: `a mail with ${page} to ${address}` }).toBeGreaterThan(0);
  return found().at(-1);
}
