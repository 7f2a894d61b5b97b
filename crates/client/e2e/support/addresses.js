// Where everything is during the browser tests. To the browser it is as in production: two hosts of one site, by HTTPS.

/** The client. */
export const CLIENT = "https://app.latchkey.test";
/** The API that the client is built with. */
export const API = "https://api.latchkey.test";
/** The same client on another site. */
export const CLIENT_ELSEWHERE = "https://app.other.test";
/** Pages that have no business here: on another site, and on another host of the same one. */
export const STRANGER = "https://stranger.test";
export const SIBLING = "https://sibling.latchkey.test";

/** The client on hosts where something is amiss, as docs/operations/troubleshooting.md tells it; `broken-sites.js` says what. */
export const AMISS = {
  unlisted: "https://unlisted.test",
  redirected: "https://redirected.test",
  unconfigured: "https://unconfigured.test",
  mixed: "https://mixed.test",
  outdated: "https://outdated.test",
  changed: "https://changed.test",
  filesOnly: "https://files-only.test",
};
/** A host that sends everybody on to the API, with a name as long as the API's. */
export const FORWARDER = "https://old.latchkey.test";

/** A header by which a test has an answer of the API lost: `answer` loses all of it, `body` all but the head. */
export const LOSE = "x-lose";

// Seconds that an access token lives here: short, so that a test sees it expire; long enough for a slow machine.
export const ACCESS_LIFETIME = 5;

/**
 * The APIs that can stand at that address, each behind an edge of its own. `edge` is the port of the edge, which a
 * browser uses as its proxy; `port` is where the tests reach the API without a browser.
 */
export const STAGES = {
  /** Quick and without limits: for stories about the client. */
  stories: {
    edge: 18080,
    port: 18000,
    settings: { BCRYPT_COST: "4", RATE_LIMITS: "off", CORS_ALLOWED_ORIGINS: CLIENT, EMAIL_URL: `file:${process.env.OUTBOX}` },
  },
  /** The same where an address must be confirmed first, and passwords are longer. */
  confirming: {
    edge: 18083,
    port: 18003,
    settings: {
      BCRYPT_COST: "4",
      RATE_LIMITS: "off",
      CORS_ALLOWED_ORIGINS: CLIENT,
      EMAIL_URL: `file:${process.env.OUTBOX}`,
      EMAIL_VERIFICATION: "mandatory",
      PASSWORD_MIN_LENGTH: "12",
    },
  },
  /** Where nobody signs up. */
  closed: {
    edge: 18084,
    port: 18004,
    settings: { BCRYPT_COST: "4", RATE_LIMITS: "off", CORS_ALLOWED_ORIGINS: CLIENT, REGISTRATION: "closed" },
  },
  /** In production, the refresh token in bodies. */
  body: { edge: 18081, port: 18001, settings: production({}) },
  /** In production, the refresh token in a cookie. */
  cookie: {
    edge: 18082,
    port: 18002,
    settings: production({ TOKEN_TRANSPORT: "cookie", SESSION_COOKIE_DOMAIN: ".latchkey.test" }),
  },
};

function production(settings) {
  return {
    APP_ENV: "production",
    SECRET_KEY: "made-for-the-browser-tests-and-of-no-use-elsewhere",
    TRUSTED_PROXY_HOPS: "1",
    BCRYPT_COST: "10",
    CORS_ALLOWED_ORIGINS: `${CLIENT},${CLIENT_ELSEWHERE}`,
    ...settings,
  };
}
