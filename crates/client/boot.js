// Starts the program. A file of its own, so that the content security policy needs no exception for inline scripts.
const { js, wasm } = document.querySelector("meta[name=program]").dataset;

// Browsers with Trusted Types ask this policy before they take a string for HTML, and there is no other policy. Leptos
// makes elements without state of HTML that is fixed when the program is built; that is all that may pass: text, elements
// that only hold it or draw, attributes that neither load nor run anything, links to pages of this site.
const ELEMENT = "a|b|br|circle|code|dd|div|dl|dt|em|g|h[1-6]|hr|li|line|ol|p|path|rect|section|small|span|strong|svg|ul";
const ATTRIBUTE = '(?:aria-[a-z]+|class|cx|cy|d|focusable|height|id|r|role|rx|ry|viewBox|width|x|y)="[^"<>]*"';
const LINK = 'href="/(?:[\\w-]+(?:/[\\w-]+)*)?"';
const TEMPLATE = new RegExp(`^(?:[^<]|<(?:${ELEMENT})(?: ${ATTRIBUTE}| ${LINK})*>|</(?:${ELEMENT})>)*$`);

globalThis.trustedTypes?.createPolicy("default", { createHTML: (html) => (TEMPLATE.test(html) ? html : null) });

// Where a deployment has just taken a file away, a host answers with the page, and the browser would keep that for a year in
// the file's place. So when something is missing, all files are asked for past the cache and the page is loaded again, once.
const first = performance.getEntriesByType("navigation")[0]?.type !== "reload";

async function askAgain() {
  const styles = Array.from(document.querySelectorAll("link[rel=stylesheet]"), ({ href }) => href);
  await Promise.all([js, wasm, ...styles].map((file) => fetch(file, { cache: "reload" })));
  if (first) location.reload();
  return first;
}

try {
  if (first && !document.styleSheets[0]?.cssRules.length) throw new Error("the style sheet is missing");
  const { default: start } = await import(js);
  await start({ module_or_path: wasm });
} catch (error) {
  console.error(error);
  if (!(await askAgain().catch(() => false))) {
    const text = document.getElementById("splash-text");
    if (text) text.textContent = "Latchkey could not be started. Check your connection, reload the page, or try a newer browser.";
  }
}
