// One tab of the client. Elements are found by the names that a person or a screen reader uses.
import { expect } from "@playwright/test";
import { API } from "./addresses.js";
import { PASSWORD } from "./api.js";

export const REFRESH = `${API}/api/auth/refresh/`;
export const ME = `${API}/api/auth/me/`;
export const SESSIONS = `${API}/api/auth/sessions/`;

const claims = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());

export class App {
  constructor(page) {
    this.page = page;
    // Bodies of responses with tokens, newest first.
    this.tokenResponses = [];
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      const hasTokens = /^\/api\/auth\/(login|register|refresh)\/$/.test(pathname) && response.request().method() === "POST";
      // A response that is cut off or is not JSON has no tokens.
      if (hasTokens && response.ok()) this.tokenResponses.unshift(response.json().catch(() => ({})));
    });
    this.signInHeading = page.getByRole("heading", { name: "Sign in", exact: true });
    this.accountHeading = page.getByRole("heading", { name: "Your account", exact: true });
    this.identifier = page.getByLabel("Email or username", { exact: true });
    this.password = page.getByLabel("Password", { exact: true });
    this.signInButton = page.getByRole("button", { name: "Sign in", exact: true });
    this.signOutButton = page.getByRole("button", { name: "Sign out", exact: true });
    this.signOutEverywhere = page.getByRole("button", { name: "Sign out everywhere", exact: true });
    this.signOutDevice = page.getByRole("button", { name: "Sign out this device" });
    this.alert = page.getByRole("alert");
    this.notice = page.getByRole("status").filter({ hasText: /offline|reach|waking|busy|try|wait/i });
  }

  open(path = "/") {
    return this.page.goto(path);
  }

  async fillSignIn({ email, password = PASSWORD }) {
    await expect(this.signInHeading).toBeVisible();
    await this.identifier.fill(email);
    await this.password.fill(password);
    await this.signInButton.click();
  }

  /** Opens the client and signs in; the account is shown at the end. */
  async signIn(person) {
    await this.open("/login");
    await this.fillSignIn(person);
    await expect(this.accountHeading).toBeVisible();
  }

  /** Follows an entry of the navigation. */
  async visit(name) {
    await this.page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
  }

  /** Opens the page with the devices, and waits for its content. */
  async visitSessions() {
    await this.visit("Sessions");
    await expect(this.signOutDevice.first()).toBeVisible();
  }

  async expectSignedIn({ email }) {
    await expect(this.accountHeading).toBeVisible();
    await expect(this.page.getByText(email).first()).toBeVisible();
  }

  /** This tab shows the sign-in page. */
  async expectSignInPage() {
    await expect(this.page).toHaveURL(/\/login(\?|$)/);
    await expect(this.signInHeading).toBeVisible();
  }

  async expectSignedOut() {
    await this.expectSignInPage();
    expect(await this.tokens()).toEqual({});
  }

  /** The tokens in localStorage, in whatever format they are stored: `{access, refresh}`, each with its claims. */
  async tokens() {
    const stored = await this.page.evaluate(() => JSON.stringify({ ...localStorage }));
    const found = {};
    for (const [jwt] of stored.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g)) {
      const { token_type: type, ...rest } = claims(jwt);
      found[type] = { jwt, ...rest };
    }
    return found;
  }

  /** The access token that this tab received last, wherever it stores it. */
  async access() {
    for (const body of this.tokenResponses) {
      const { access } = await body;
      if (access) return { jwt: access, ...claims(access) };
    }
    throw new Error("no response had an access token");
  }

  /** Waits until the access token has expired. */
  async accessExpires() {
    const { access = await this.access() } = await this.tokens();
    await expect.poll(() => Date.now() / 1000 - access.exp, { timeout: 20_000 }).toBeGreaterThan(0);
  }

  /** Records every request to an address from now on, in the array that it returns. */
  record(url, method = "POST") {
    const requests = [];
    this.page.on("request", (request) => {
      if (request.url() === url && request.method() === method) requests.push(request);
    });
    return requests;
  }
}
