// The table of pages (src/pages/mod.rs), for what is not Rust: the static host's rules and the browser tests.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const TABLE = /^pages! \{\n([^]*?)^\}$/m;
const ROW = /^ {4}\[mod (\w+); (\w+), "(\/[\w/:-]*)", "([^"]+)", (Visitors|Everybody|MailedLink|Users|Administrators)(?:, "([^"]+)")?\],$/;

/** Every page: `file`, `path`, `title`, `audience`, `entry` (in the navigation, if it has one). */
function readPages(text) {
  const [, table] = TABLE.exec(text) ?? [];
  if (!table) throw new Error("crates/client/src/pages/mod.rs has no table of pages");
  const lines = table.split("\n").filter((line) => line.trim() && !line.trim().startsWith("//"));
  return lines.map((line) => {
    const row = ROW.exec(line);
    if (!row) throw new Error(`crates/client/src/pages/mod.rs: this row is not of the expected form: ${line.trim()}`);
    const [, file, , path, title, audience, entry] = row;
    return { file, path, title, audience, entry };
  });
}

module.exports = { readPages, pages: readPages(readFileSync(join(__dirname, "src/pages/mod.rs"), "utf8")) };
