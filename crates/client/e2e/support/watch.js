// Reports what a browser must not do in any test: log an error, throw one, send a request to a third party, or change a text node.
import { API, CLIENT, CLIENT_ELSEWHERE } from "./addresses.js";
import { claims } from "./api.js";
import { reportTextNodes } from "./translation.js";

// The browser logs a line for each response over 399. A 401 for an expired access token is part of the protocol, and can occur at
// any moment and on any path because tokens live for seconds; a test must announce every other failure.
const REFUSED_TOKEN = /^Failed to load resource: .* status of 401/;

function hasExpired(request) {
  const [, token] = request.headers().authorization?.match(/^Bearer (\S+\.\S+\.\S+)$/) ?? [];
  return token !== undefined && claims(token).exp <= Date.now() / 1000;
}

/** Watches every page of a browser context. */
export class Watch {
  #recorded = [];
  #allowed = [];
  /** The addresses of 401 responses to requests whose token had expired. */
  #expired = [];
  #ownOrigins = [API, CLIENT, CLIENT_ELSEWHERE];

  constructor(context) {
    this.context = context;
    context.on("console", (message) => {
      if (message.type() === "error") this.#record(message.text(), message.location().url);
    });
    context.on("response", (response) => {
      if (response.status() === 401 && hasExpired(response.request())) this.#expired.push(response.url());
    });
    context.on("weberror", (error) => this.#record(String(error.error())));
    context.on("request", (request) => {
      if (!/^(blob|data):/.test(request.url()) && !this.#ownOrigins.includes(new URL(request.url()).origin)) {
        this.#record("request to a third party", request.url());
      }
    });
  }

  /** Reports text nodes from the next page that is opened. */
  async begin() {
    await this.context.addInitScript(reportTextNodes);
    return this;
  }

  /** The errors that the test did not announce. Each expired token excuses one line, whichever of the two events comes first. */
  get found() {
    const expired = [...this.#expired];
    const isExpiry = ({ text, url }) => {
      const index = REFUSED_TOKEN.test(text) ? expired.indexOf(url) : -1;
      if (index >= 0) expired.splice(index, 1);
      return index >= 0;
    };
    return this.#recorded.filter((error) => !isExpiry(error)).map(({ text, url }) => `${text} ${url}`.trim());
  }

  /** This test causes failed requests: `failure` is a status of the API or the browser's name for a network error. */
  expectFailures(...failures) {
    for (const failure of failures) {
      const [text, origins] = typeof failure === "number" ? [`status of ${failure}`, API] : [failure, `(${this.#ownOrigins.join("|")})`];
      this.#allowed.push({ text: new RegExp(`^Failed to load resource: .*${text}`), url: new RegExp(`^${origins}/`) });
    }
  }

  /** This test causes the browser to log this text. */
  expectText(text) {
    this.#allowed.push({ text, url: /^/ });
  }

  /** This test opens a page of another origin. */
  expectPage(origin) {
    this.#ownOrigins.push(origin);
  }

  #record(text, url = "") {
    if (!this.#allowed.some((allowed) => allowed.text.test(text) && allowed.url.test(url))) this.#recorded.push({ text, url });
  }
}
