// The static host's headers for every file, and their effect in the browser.
import { readFileSync, readdirSync } from "node:fs";
import { refusedTemplates, templates } from "../../templates.js";
import { API, CLIENT, OTHER_SITE } from "../support/addresses.js";
import { PAGES, addressOf } from "../support/pages.js";
import { expect, test } from "../support/test.js";

const root = new URL("../../../../", import.meta.url).pathname;
const folder = process.env.CLIENT_FILES || `${root}dist`;
const built = readdirSync(folder);
const POLICY = {
  "default-src": "'none'",
  "script-src": "'self' 'wasm-unsafe-eval'",
  "style-src": "'self'",
  "img-src": "'self' https: blob:",
  "connect-src": "'self' https:",
  "worker-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
  "require-trusted-types-for": "'script'",
  "trusted-types": "default",
  "upgrade-insecure-requests": "",
};
const OTHER_HEADERS = {
  "strict-transport-security": "max-age=63072000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
};
// Trunk writes 64 bits as a number, without leading zeros: one hash in 16 has fewer than 16 digits, and one in 16^8 fewer than 9.
const HASHED = /-[0-9a-f]{9,16}(_bg)?\.(js|wasm|css|svg)$/;

const ASSETS = built.filter((name) => name !== "index.html").map((name) => `/${name}`);

/** Requests a path, checks the headers that every response has, and returns its `Cache-Control`. */
async function cachingOf(request, path) {
  const response = await request.get(CLIENT + path);
  expect(response.status()).toBe(200);
  const { "content-security-policy": policy, "cache-control": caching, ...headers } = response.headers();
  const directives = policy.split("; ").map((directive) => directive.split(/ (.*)/));
  expect(Object.fromEntries(directives.map(([name, value = ""]) => [name, value]))).toEqual(POLICY);
  expect(headers).toMatchObject(OTHER_HEADERS);
  return caching;
}

for (const path of ["/index.html", "/login?next=/sessions", ...PAGES.map((row) => addressOf(row).split("#")[0])]) {
  test(`${path} comes with every header`, async ({ request }) => {
    expect(await cachingOf(request, path)).toBe("no-cache");
  });
}

test("a path without a page comes with every header and is not cached", async ({ request }) => {
  // None of our rules applies; by default hosts have it revalidated.
  expect(await cachingOf(request, "/no/such/page")).toBeUndefined();
});

for (const kind of ["js", "wasm", "css", "svg"]) {
  test(`every .${kind} file comes with every header and is cached for a year`, async ({ request }) => {
    const files = ASSETS.filter((name) => name.endsWith(`.${kind}`));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(await cachingOf(request, file), file).toBe("public, max-age=31536000, immutable");
  });
}

test("a file that is cached for a year has its content's hash in its name", () => {
  expect(ASSETS.filter((name) => !HASHED.test(name))).toEqual([]);
});

test("the page has no inline script, style or handler", () => {
  const page = readFileSync(`${folder}/index.html`, "utf8");
  const scripts = [...page.matchAll(/<script\b([^>]*)>([^]*?)<\/script>/g)];
  expect(scripts.map(([, attributes, content]) => [/ src="\/boot-[0-9a-f]+\.js"/.test(attributes), content])).toEqual([[true, ""]]);
  expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:/i);
});

test("the page may request and show only content of this site and its API", () => {
  const page = readFileSync(`${folder}/index.html`, "utf8");
  const [, policy] = /<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page);
  expect(policy).toBe(`connect-src 'self' ${API}; img-src 'self' blob: ${API}`);
});

test("no request reaches another host, not even for a picture", async ({ app, page, watch }) => {
  watch.expectText(/Content Security Policy/);
  watch.expectPage(OTHER_SITE); // Chromium announces a picture's request before it refuses it
  const responses = [];
  page.on("response", (response) => responses.push(response.url()));
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  const refused = await page.evaluate(async (address) => {
    const violations = [];
    document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
    await fetch(address).catch(() => {});
    await new Promise((done) => Object.assign(new Image(), { onerror: done, onload: done, src: `${address}/picture.png` }));
    return violations;
  }, OTHER_SITE);
  // The page's own policy refuses them: the host's policy allows any https: address.
  expect(refused.sort()).toEqual(["connect-src", "img-src"]);
  expect(responses.filter((url) => url.startsWith(OTHER_SITE))).toEqual([]);
});

const HOSTILE = [
  "<img src=x onerror=alert(1)>",
  '<img src="//other-site.test/x.png" alt="">',
  '<img src="https://other-site.test/x.png" alt="">',
  '<img src="/x.png" srcset="https://other-site.test/x.png" alt="">',
  '<img src="/pictures/../x.png" alt="">',
  '<img src="/x.png?seen" alt="">',
  '<img src="/x.png" alt="" onerror="alert(1)">',
  '<input type="image" src="https://other-site.test/x.png">',
  '<button type="button" onclick="alert(1)">text</button>',
  '<button formaction="https://other-site.test">text</button>',
  '<button form="other">text</button>',
  '<label for="x" onfocus="alert(1)">text</label>',
  '<table background="https://other-site.test/x.png"></table>',
  "<table><tr><td><script>alert(1)</script></td></tr></table>",
  '<td style="background:url(https://other-site.test)">text</td>',
  '<svg><image href="https://other-site.test/x.png"></image></svg>',
  '<svg><use href="https://other-site.test/x.svg#a"></use></svg>',
  '<svg><animate attributeName="href"></animate></svg>',
  '<path fill="url(https://other-site.test/x.svg#a)"></path>',
  '<video src="/x.mp4"></video>',
  '<object data="/x"></object>',
  '<embed src="/x">',
  '<link rel="stylesheet" href="/x.css">',
  '<meta http-equiv="refresh" content="0;url=/x">',
  '<template><p>text</p></template>',
  "<script>alert(1)</script>",
  '<svg onload="alert(1)"></svg>',
  '<p class="a" onclick="alert(1)">text</p>',
  '<p class="a"onclick="alert(1)">text</p>',
  '<p class="a" style="position:fixed">text</p>',
  '<a href="javascript:alert(1)">text</a>',
  '<a href="//other-site.test">text</a>',
  '<a href="/\\other-site.test">text</a>',
  '<a href="/&#47;other-site.test">text</a>',
  '<a href="https://other-site.test">text</a>',
  "<iframe></iframe>",
  '<form action="/"></form>',
  "<base>",
  "<p><!-- --></p>",
  "<P>text</P>",
  '<p class="a>text</p>',
  "<math><mtext></mtext></math>",
  "<svg><style></style></svg>",
];

// Markup that pages use.
const USUAL = [
  '<table class="notes"><caption>Notes</caption><thead><tr><th scope="col">Title</th></tr></thead><tbody><tr><td colspan="2">Text</td></tr></tbody></table>',
  '<label for="title">Title</label>',
  '<img class="logo" src="/brand/logo-1.svg" alt="Notes" width="32" height="32" loading="lazy">',
  '<button type="button" class="button" disabled="">Add</button>',
  '<button type="submit" disabled>Add</button>',
  '<input id="title" name="title" type="text" maxlength="100" required placeholder="Title">',
  '<input id="closes_at" name="closes_at" type="datetime-local">',
  '<fieldset class="field" role="radiogroup"><legend>Kind</legend><label class="choice"><input type="radio" name="kind" value="a"><span>A</span></label></fieldset>',
  '<select id="kind" name="kind"><option value="a" selected="">A</option></select>',
  '<textarea rows="4" cols="40"></textarea>',
  '<details open=""><summary>More</summary><pre><code>x</code></pre></details>',
  '<figure><blockquote>Text</blockquote><figcaption lang="de">Wort</figcaption></figure>',
  '<a href="/notes/new">New</a><nav aria-label="Notes"><ol><li>1</li></ol></nav>',
  '<svg viewBox="0 0 8 8" fill="none" stroke-width="2"><path d="M0 0h8" stroke="currentColor"></path></svg>',
];

test("the markup that pages use is accepted as HTML: tables, labels, images, buttons", async ({ app, page }) => {
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  // A string that is refused throws.
  await page.evaluate((all) => all.forEach((text) => (document.createElement("template").innerHTML = text)), USUAL);
  // The build finds the same markup in a program, and accepts it.
  const program = USUAL.join("\0");
  expect(templates(program).length).toBeGreaterThanOrEqual(USUAL.length);
  expect(refusedTemplates(program)).toEqual([]);
});

test("the build reports the markup that a browser would refuse", () => {
  const tagsIn = (text) => refusedTemplates(`\0core::str\0${text}Sign in`).map(({ tag }) => tag);
  expect(tagsIn('<p>one<video src="/x.mp4"></video></p>')).toEqual(['<video src="/x.mp4">']);
  expect(tagsIn('<a href="https://other-site.test">text</a>')).toEqual(['<a href="https://other-site.test">']);
  expect(tagsIn('<img src="https://other-site.test/x.png">')).toEqual(['<img src="https://other-site.test/x.png">']);
  expect(tagsIn('<p style="color:red">text</p>')).toEqual(['<p style="color:red">']);
});

test("a string that is not one of the program's templates is refused as HTML", async ({ app, page, watch }) => {
  watch.expectText(/Trusted|boot.js does not allow/);
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  const accepted = await page.evaluate((hostile) => {
    const sinks = [
      (text) => (document.createElement("div").innerHTML = text),
      (text) => (document.createElement("template").innerHTML = text),
      (text) => document.body.insertAdjacentHTML("beforeend", text),
      (text) => new DOMParser().parseFromString(text, "text/html"),
      (text) => document.createRange().createContextualFragment(text),
      (text) => document.write(text),
    ];
    const accepts = (text) => (sink) => {
      try {
        sink(text);
        return true;
      } catch {
        return false;
      }
    };
    return hostile.filter((text) => sinks.some(accepts(text)));
  }, HOSTILE);
  expect(accepted).toEqual([]);
});

test("no string is accepted as a script, and no further policy can be created", async ({ app, page, watch }) => {
  watch.expectText(/Trusted|Content Security Policy/);
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  const accepted = await page.evaluate(() => {
    const attempts = {
      "a script's text": () => (document.createElement("script").text = "1"),
      "a script's address": () => (document.createElement("script").src = "/x.js"),
      "a worker": () => new Worker("/x.js"),
      "a timer": () => setTimeout("window.ran = true"),
      "another policy": () => trustedTypes.createPolicy("other", { createHTML: (html) => html }),
      "a second default policy": () => trustedTypes.createPolicy("default", { createHTML: (html) => html }),
    };
    return Object.entries(attempts)
      .filter(([, attempt]) => {
        try {
          attempt();
          return true;
        } catch {
          return false;
        }
      })
      .map(([name]) => name);
  });
  expect(accepted).toEqual([]);
});

test("all HTML in the program is accepted, including that of pages that no test visits", async ({ app, page }) => {
  const all = templates(readFileSync(`${folder}/${built.find((name) => name.endsWith(".wasm"))}`, "utf8"));
  expect(all.length).toBeGreaterThan(3);
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  const refused = await page.evaluate(
    (texts) => texts.filter((text) => !trustedTypes.defaultPolicy.createHTML(text).toString()),
    all,
  );
  expect(refused).toEqual([]);
});

test("in another site's frame the page stays blank", async ({ page, watch }) => {
  watch.expectText(/frame/);
  watch.expectPage(OTHER_SITE);
  await page.goto(OTHER_SITE);
  await page.evaluate((address) => {
    const frame = document.createElement("iframe");
    frame.src = address;
    document.body.append(frame);
  }, `${CLIENT}/login`);
  await expect.poll(() => page.frames().length).toBe(2);
  await expect.poll(() => page.frames()[1].url()).toMatch(/^chrome-error:/);
  await expect(page.frameLocator("iframe").getByRole("heading", { name: "Sign in" })).toHaveCount(0);
});
