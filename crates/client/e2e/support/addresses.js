// The addresses that the browser tests use. To the browser they look as in production: two hosts of one site, over HTTPS.

/** The client. */
export const CLIENT = "https://app.latchkey.test";
/** The API that the client is built with. */
export const API = "https://api.latchkey.test";
/** The same client on another site. */
export const CLIENT_ELSEWHERE = "https://app.other.test";
/** Pages that do not belong to Latchkey: on another site, and on another host of the same site. */
export const OTHER_SITE = "https://other-site.test";
export const SIBLING = "https://sibling.latchkey.test";

/** The client on misconfigured hosts, one for each case of docs/operations/troubleshooting.md; `broken-sites.js` sets them up. */
export const MISCONFIGURED = {
  unlisted: "https://unlisted.test",
  redirected: "https://redirected.test",
  unconfigured: "https://unconfigured.test",
  mixed: "https://mixed.test",
  outdated: "https://outdated.test",
  changed: "https://changed.test",
  filesOnly: "https://files-only.test",
};
/** A host that redirects to the API, with a name as long as the API's. */
export const FORWARDER = "https://old.latchkey.test";

/** A header by which a test loses a response of the API: `response` loses all of it, `body` all but the head. */
export const LOSE = "x-lose";

// The lifetime of access tokens: short, so that a test sees them expire, but long enough for a slow machine.
export const ACCESS_LIFETIME_SECONDS = 5;

/**
 * The configurations of the API at that address, each behind its own edge. `edge` is the port of the edge, which a browser
 * uses as its proxy; `port` is the API's own port, which the tests use without a browser.
 */
export const STAGES = {
  /** Fast and without rate limits: for stories about the client. */
  stories: {
    edge: 18080,
    port: 18000,
    settings: { BCRYPT_COST: "4", RATE_LIMITS: "off", CORS_ALLOWED_ORIGINS: CLIENT, EMAIL_URL: `file:${process.env.OUTBOX}` },
  },
  /** Where an address must be confirmed first, and passwords must be longer. */
  confirming: { edge: 18083, port: 18003, settings: confirming({}) },
  /** The same, the refresh token in a cookie. */
  confirmingCookie: {
    edge: 18085,
    port: 18005,
    settings: confirming({ TOKEN_TRANSPORT: "cookie", SESSION_COOKIE_DOMAIN: ".latchkey.test" }),
  },
  /** Where registration is closed. */
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

function confirming(settings) {
  return {
    BCRYPT_COST: "4",
    RATE_LIMITS: "off",
    CORS_ALLOWED_ORIGINS: CLIENT,
    EMAIL_URL: `file:${process.env.OUTBOX}`,
    EMAIL_VERIFICATION: "mandatory",
    PASSWORD_MIN_LENGTH: "12",
    ...settings,
  };
}

function production(settings) {
  return {
    APP_ENV: "production",
    SECRET_KEY: "for-the-browser-tests-only-and-useless-elsewhere",
    TRUSTED_PROXY_HOPS: "1",
    BCRYPT_COST: "10",
    CORS_ALLOWED_ORIGINS: `${CLIENT},${CLIENT_ELSEWHERE}`,
    ...settings,
  };
}
