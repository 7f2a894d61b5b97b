// Starts the program. A file of its own, so that the content security policy needs no exception for inline scripts.
const { js, wasm } = document.querySelector("meta[name=program]").dataset;

// Browsers with Trusted Types call this policy before they parse a string as HTML, and there is no other policy. Leptos creates
// elements without state from HTML that is fixed when the program is built. Only that HTML is allowed: text, elements for text,
// drawings and input, attributes that neither load nor run anything from other sites, links to pages and pictures of this site.
// A build with any other HTML fails, and names it (templates.js reads these lines).
const ELEMENTS = `a abbr article aside b blockquote br button caption circle cite code col colgroup dd defs details dfn div dl dt
  ellipse em fieldset figcaption figure footer g h1 h2 h3 h4 h5 h6 header hr i img input kbd label legend li line main mark nav ol
  optgroup option p path polygon polyline pre q rect s samp section select small span strong sub summary sup svg table tbody td
  textarea tfoot th thead time title tr u ul var wbr`.split(/\s+/);
const ATTRIBUTE = `(?:aria-[a-z]+|alt|autocomplete|class|cols|colspan|cx|cy|d|datetime|dir|focusable|for
  |headers|height|id|inputmode|label|lang|loading|max|maxlength|min|minlength|name|pattern|placeholder|points|r|role|rows|rowspan|rx
  |ry|scope|size|span|spellcheck|start|step|tabindex|title|transform|value|viewBox|width|x|x1|x2|y|y1|y2)="[^"<>]*"`;
const PAINT = '(?:fill|stroke)(?:-[a-z]+)?="[\\w#. -]*"';
const FLAG = "(?:checked|disabled|hidden|multiple|open|readonly|required|reversed|selected)";
const TYPE = 'type="(?:1|A|a|I|i|button|checkbox|date|datetime-local|email|number|password|radio|reset|search|submit|tel|text|time|url)"';
const OWN = '(?:href|src)="/(?:[\\w-]+(?:/[\\w-]+)*(?:\\.(?:gif|jpe?g|png|svg|webp))?)?"';
const TAG = new RegExp(
  `^<(?:(?:${ELEMENTS.join("|")})(?: (?:${ATTRIBUTE.replace(/\s+/g, "")}|${PAINT}|${FLAG}(?:="")?|${TYPE}|${OWN}))*|/(?:${ELEMENTS.join("|")}))>$`,
);

/** The first tag of `html` that is not one of those, if there is one. */
const refusedTag = (html) => html.match(/<[^>]*>?/g)?.find((tag) => !TAG.test(tag));

globalThis.trustedTypes?.createPolicy("default", {
  createHTML: (html) => {
    const tag = refusedTag(html);
    if (tag) console.error(`boot.js does not allow ${tag} in HTML`);
    return tag ? null : html;
  },
});

// When a deployment has just removed a file, a host responds with the page in its place, and the browser would cache that for a
// year. So when a file is missing, all files are fetched past the cache and the page is reloaded, once.
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
