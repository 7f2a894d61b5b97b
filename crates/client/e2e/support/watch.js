// What a browser must never do in any test: log an error, throw one, send a request to a third party, or change a text node.
import { API, CLIENT, CLIENT_ELSEWHERE } from "./addresses.js";
import { claims } from "./api.js";
import { reportTextNodes } from "./translation.js";

// The browser itself logs a line for each answer over 399. A 401 for an expired access token is part of the protocol,
// and can come at any moment and any path where tokens live for seconds; every other failure has to be announced by the test.
const REFUSED_TOKEN = /^Failed to load resource: .* status of 401/;

function hasExpired(request) {
  const [, token] = request.headers().authorization?.match(/^Bearer (\S+\.\S+\.\S+)$/) ?? [];
  return token !== undefined && claims(token).exp <= Date.now() / 1000;
}

/** Watches every page of a browser context. */
export class Watch {
  #noted = [];
  #allowed = [];
  /** Where answers of 401 came from to requests whose token had expired. */
  #expired = [];
  #ours = [API, CLIENT, CLIENT_ELSEWHERE];

  constructor(context) {
    this.context = context;
    context.on("console", (message) => {
      if (message.type() === "error") this.#note(message.text(), message.location().url);
    });
    context.on("response", (answer) => {
      if (answer.status() === 401 && hasExpired(answer.request())) this.#expired.push(answer.url());
    });
    context.on("weberror", (error) => this.#note(String(error.error())));
    context.on("request", (request) => {
      if (!/^(blob|data):/.test(request.url()) && !this.#ours.includes(new URL(request.url()).origin)) {
        this.#note("request to a third party", request.url());
      }
    });
  }

  /** Begins with the next page that is opened. */
  async begin() {
    await this.context.addInitScript(reportTextNodes);
    return this;
  }

  /** What nobody announced. Each expired token accounts for one line, whichever of the two is heard of first. */
  get found() {
    const expired = [...this.#expired];
    const isOfProtocol = ({ text, url }) => {
      const place = REFUSED_TOKEN.test(text) ? expired.indexOf(url) : -1;
      if (place >= 0) expired.splice(place, 1);
      return place >= 0;
    };
    return this.#noted.filter((noted) => !isOfProtocol(noted)).map(({ text, url }) => `${text} ${url}`.trim());
  }

  /** This test makes requests fail: `failure` is a status of the API or the browser's name for a network error. */
  expectFailures(...failures) {
    for (const failure of failures) {
      const [text, origins] = typeof failure === "number" ? [`status of ${failure}`, API] : [failure, `(${this.#ours.join("|")})`];
      this.#allowed.push({ text: new RegExp(`^Failed to load resource: .*${text}`), url: new RegExp(`^${origins}/`) });
    }
  }

  /** This test does what the browser refuses and logs. */
  expectText(text) {
    this.#allowed.push({ text, url: /^/ });
  }

  /** This test opens a page of somebody else's. */
  expectPage(origin) {
    this.#ours.push(origin);
  }

  #note(text, url = "") {
    if (!this.#allowed.some((known) => known.text.test(text) && known.url.test(url))) this.#noted.push({ text, url });
  }
}
