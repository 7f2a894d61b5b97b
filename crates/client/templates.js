// The HTML in a built program, and the parts of it that the Trusted Types policy of boot.js refuses. Leptos compiles every element
// without dynamic content to HTML.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

/** The policy's own function: the lines of boot.js from `const ELEMENTS` to `globalThis.trustedTypes` need no browser. */
function policy() {
  const boot = readFileSync(join(__dirname, "boot.js"), "utf8");
  const [rules] = /const ELEMENTS[^]*?(?=globalThis\.trustedTypes)/.exec(boot);
  return new Function(`${rules}; return refusedTag;`)();
}

const ATTRIBUTES = '(?: [a-zA-Z-]+(?:="[^"]*")?)*';
const VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr";
const TEMPLATE = new RegExp(`<(?!(?:${VOID})\\b)([a-z][a-z0-9-]*)${ATTRIBUTES}>[^\\x00-\\x08\\x0e-\\x1f\\x7f]*?</\\1>|<(?:${VOID})${ATTRIBUTES}>`, "g");

/** Every piece of HTML in the program's text. */
const templates = (program) => [...new Set(program.match(TEMPLATE))];

/** The pieces that the policy refuses, each with the first refused tag. */
function refusedTemplates(program) {
  const refusedTag = policy();
  return templates(program).flatMap((template) => {
    const tag = refusedTag(template);
    return tag ? [{ tag, template: template.slice(0, 200) }] : [];
  });
}

module.exports = { refusedTemplates, templates };
