// What the static host says with every file, and what the browser makes of it.
import { readFileSync, readdirSync } from "node:fs";
import { API, CLIENT, STRANGER } from "../support/addresses.js";
import { rules } from "../support/static-site.js";
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
const OTHERS = {
  "strict-transport-security": "max-age=63072000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
};
// Trunk writes 64 bits as a number, without leading zeros: one hash in 16 has less than 16 digits, and one in 16^8 less than 9.
const HASHED = /-[0-9a-f]{9,16}(_bg)?\.(js|wasm|css|svg)$/;

const ASSETS = built.filter((name) => name !== "index.html").map((name) => `/${name}`);

/** Asks for a path, checks what every answer says, and comes to its `Cache-Control`. */
async function cachingOf(request, path) {
  const answer = await request.get(CLIENT + path);
  expect(answer.status()).toBe(200);
  const { "content-security-policy": policy, "cache-control": caching, ...headers } = answer.headers();
  const directives = policy.split("; ").map((directive) => directive.split(/ (.*)/));
  expect(Object.fromEntries(directives.map(([name, value = ""]) => [name, value]))).toEqual(POLICY);
  expect(headers).toMatchObject(OTHERS);
  return caching;
}

for (const path of ["/", "/index.html", "/login?next=/sessions", "/sessions"]) {
  test(`${path} comes with every header`, async ({ request }) => {
    expect(await cachingOf(request, path)).toBe("no-cache");
  });
}

test("a path that is no page comes with every header and is not kept", async ({ request }) => {
  // No rule of ours: hosts' own default is that it be asked for again.
  expect(await cachingOf(request, "/no/such/page")).toBeUndefined();
});

for (const kind of ["js", "wasm", "css", "svg"]) {
  test(`every .${kind} file comes with every header and is kept for a year`, async ({ request }) => {
    const files = ASSETS.filter((name) => name.endsWith(`.${kind}`));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(await cachingOf(request, file), file).toBe("public, max-age=31536000, immutable");
  });
}

test("what may be kept for a year has its content's hash in its name", () => {
  expect(ASSETS.filter((name) => !HASHED.test(name))).toEqual([]);
});

test("every page of the application is asked for anew at each visit", () => {
  const pages = readFileSync(`${root}crates/client/src/app.rs`, "utf8").matchAll(/path!\("(\/[^"]*)"\)/g);
  const anew = rules.filter(({ value }) => value === "no-cache").map(({ path }) => path);
  expect([...pages].map(([, path]) => path).filter((path) => !anew.includes(path))).toEqual([]);
});

test("the page holds no script, style or handler of its own", () => {
  const page = readFileSync(`${folder}/index.html`, "utf8");
  const scripts = [...page.matchAll(/<script\b([^>]*)>([^]*?)<\/script>/g)];
  expect(scripts.map(([, attributes, content]) => [/ src="\/boot-[0-9a-f]+\.js"/.test(attributes), content])).toEqual([[true, ""]]);
  expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:/i);
});

test("what the page may ask and show comes from this site and its API", () => {
  const page = readFileSync(`${folder}/index.html`, "utf8");
  const [, policy] = /<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page);
  expect(policy).toBe(`connect-src 'self' ${API}; img-src 'self' blob: ${API}`);
});

test("nothing goes to another host, not even as a picture's address", async ({ app, page, watch }) => {
  watch.expectText(/Content Security Policy/);
  watch.expectPage(STRANGER); // Chromium announces a picture's request before it refuses it
  const answers = [];
  page.on("response", (answer) => answers.push(answer.url()));
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  const refused = await page.evaluate(async (address) => {
    const heard = [];
    document.addEventListener("securitypolicyviolation", (event) => heard.push(event.effectiveDirective));
    await fetch(address).catch(() => {});
    await new Promise((done) => Object.assign(new Image(), { onerror: done, onload: done, src: `${address}/picture.png` }));
    return heard;
  }, STRANGER);
  // The page's own policy refuses them: the host's allows any address by https:.
  expect(refused.sort()).toEqual(["connect-src", "img-src"]);
  expect(answers.filter((url) => url.startsWith(STRANGER))).toEqual([]);
});

const HOSTILE = [
  "<img src=x onerror=alert(1)>",
  '<img class="x">',
  "<script>alert(1)</script>",
  '<svg onload="alert(1)"></svg>',
  '<p class="a" onclick="alert(1)">text</p>',
  '<p class="a"onclick="alert(1)">text</p>',
  '<p class="a" style="position:fixed">text</p>',
  '<a href="javascript:alert(1)">text</a>',
  '<a href="//stranger.test">text</a>',
  '<a href="/\\stranger.test">text</a>',
  '<a href="/&#47;stranger.test">text</a>',
  '<a href="https://stranger.test">text</a>',
  "<iframe></iframe>",
  '<form action="/"></form>',
  "<base>",
  "<p><!-- --></p>",
  "<P>text</P>",
  '<p class="a>text</p>',
  "<math><mtext></mtext></math>",
  "<svg><style></style></svg>",
];

test("a string that is no template of the program's is not taken for HTML", async ({ app, page, watch }) => {
  watch.expectText(/Trusted/);
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  const taken = await page.evaluate((hostile) => {
    const sinks = [
      (text) => (document.createElement("div").innerHTML = text),
      (text) => (document.createElement("template").innerHTML = text),
      (text) => document.body.insertAdjacentHTML("beforeend", text),
      (text) => new DOMParser().parseFromString(text, "text/html"),
      (text) => document.createRange().createContextualFragment(text),
      (text) => document.write(text),
    ];
    const through = (text) => (sink) => {
      try {
        sink(text);
        return true;
      } catch {
        return false;
      }
    };
    return hostile.filter((text) => sinks.some(through(text)));
  }, HOSTILE);
  expect(taken).toEqual([]);
});

test("no string is taken for a script, and no further policy can be made", async ({ app, page, watch }) => {
  watch.expectText(/Trusted|Content Security Policy/);
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  const taken = await page.evaluate(() => {
    const tries = {
      "a script's text": () => (document.createElement("script").text = "1"),
      "a script's address": () => (document.createElement("script").src = "/x.js"),
      "a worker": () => new Worker("/x.js"),
      "a timer": () => setTimeout("window.ran = true"),
      "another policy": () => trustedTypes.createPolicy("other", { createHTML: (html) => html }),
      "a second default policy": () => trustedTypes.createPolicy("default", { createHTML: (html) => html }),
    };
    return Object.entries(tries)
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
  expect(taken).toEqual([]);
});

test("all HTML that the program holds may pass, on pages that no test visits, too", async ({ app, page }) => {
  const program = readFileSync(`${folder}/${built.find((name) => name.endsWith(".wasm"))}`, "utf8");
  const templates = program.match(/<([a-z][a-z0-9]*)(?: [a-zA-Z-]+(?:="[^"]*")?)*>[^\0]*?<\/\1>/g);
  expect(templates.length).toBeGreaterThan(3);
  await app.open("/login");
  await expect(app.signInHeading).toBeVisible();
  const refused = await page.evaluate(
    (all) => all.filter((text) => !trustedTypes.defaultPolicy.createHTML(text).toString()),
    templates,
  );
  expect(refused).toEqual([]);
});

test("in another site's frame the page stays blank", async ({ page, watch }) => {
  watch.expectText(/frame/);
  watch.expectPage(STRANGER);
  await page.goto(STRANGER);
  await page.evaluate((address) => {
    const frame = document.createElement("iframe");
    frame.src = address;
    document.body.append(frame);
  }, `${CLIENT}/login`);
  await expect.poll(() => page.frames().length).toBe(2);
  await expect.poll(() => page.frames()[1].url()).toMatch(/^chrome-error:/);
  await expect(page.frameLocator("iframe").getByRole("heading", { name: "Sign in" })).toHaveCount(0);
});
