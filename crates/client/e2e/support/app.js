// One tab of the client, by the names that a person or a screen reader finds.
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
    // Answers with tokens, the newest first.
    this.given = [];
    page.on("response", (answer) => {
      const { pathname } = new URL(answer.url());
      const gives = /^\/api\/auth\/(login|register|refresh)\/$/.test(pathname) && answer.request().method() === "POST";
      // One that breaks off or is no JSON gives nothing.
      if (gives && answer.ok()) this.given.unshift(answer.json().catch(() => ({})));
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

  /** Opens the client and signs in; ends at the account. */
  async signIn(person) {
    await this.open("/login");
    await this.fillSignIn(person);
    await expect(this.accountHeading).toBeVisible();
  }

  /** Follows an entry of the navigation. */
  async visit(name) {
    await this.page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
  }

  /** The page with the devices, with its content from the API. */
  async visitSessions() {
    await this.visit("Sessions");
    await expect(this.signOutDevice.first()).toBeVisible();
  }

  async expectSignedIn({ email }) {
    await expect(this.accountHeading).toBeVisible();
    await expect(this.page.getByText(email).first()).toBeVisible();
  }

  /** This tab asks to sign in. */
  async expectLeft() {
    await expect(this.page).toHaveURL(/\/login(\?|$)/);
    await expect(this.signInHeading).toBeVisible();
  }

  async expectSignedOut() {
    await this.expectLeft();
    expect(await this.tokens()).toEqual({});
  }

  /** The tokens in localStorage, whatever the form in which they are kept: `{access, refresh}`, each with its claims. */
  async tokens() {
    const stored = await this.page.evaluate(() => JSON.stringify({ ...localStorage }));
    const found = {};
    for (const [jwt] of stored.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g)) {
      const { token_type: type, ...rest } = claims(jwt);
      found[type] = { jwt, ...rest };
    }
    return found;
  }

  /** The access token that this tab was given last, wherever it keeps it. */
  async access() {
    for (const answer of this.given) {
      const { access } = await answer;
      if (access) return { jwt: access, ...claims(access) };
    }
    throw new Error("no access token was given");
  }

  /** Returns when the access token is no longer valid. */
  async accessExpires() {
    const { access = await this.access() } = await this.tokens();
    await expect.poll(() => Date.now() / 1000 - access.exp, { timeout: 20_000 }).toBeGreaterThan(0);
  }

  /** Keeps every request to an address from now on; the array grows. */
  record(url, method = "POST") {
    const requests = [];
    this.page.on("request", (request) => {
      if (request.url() === url && request.method() === method) requests.push(request);
    });
    return requests;
  }
}
