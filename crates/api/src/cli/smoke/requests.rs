//! Requests with and without tokens.

use super::answer::{Answer, Trouble};
use super::context::{Smoke, learnt};
use super::session::{Session, with_refresh_token};
use auth_types::paths;
use auth_types::requests::LoginRequest;
use auth_types::responses::TokenTransport;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};

impl Smoke {
    pub(super) fn transport(&self) -> Result<TokenTransport, Trouble> {
        Ok(learnt(&self.config)?.token_transport)
    }

    /// A request of no page: what the front end's pages may do, CORS' own checks tell.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.browser.request(Method::POST, self.plan.api.at(path))
    }

    /// A request of the caller that the access token names.
    pub(super) async fn ask_as(&self, access: &SecretString, path: &str) -> Result<Answer, Trouble> {
        self.browser.send(self.browser.get(self.plan.api.at(path)).bearer_auth(access.expose_secret())).await
    }

    /// A session of its own: what one check does to it, no other notices.
    pub(super) async fn new_session(&self) -> Result<Session, Trouble> {
        let answer = self.browser.send(self.login_request()?).await?.with_status(200)?;
        self.opened(&answer)
    }

    /// Reads a session, and remembers to sign out of it.
    pub(super) fn opened(&self, answer: &Answer) -> Result<Session, Trouble> {
        let session = Session::of(answer, self.transport()?)?;
        self.opened.borrow_mut().push(session.clone());
        Ok(session)
    }

    pub(super) fn login_request(&self) -> Result<RequestBuilder, Trouble> {
        let credentials = learnt(&self.credentials)?;
        let email = Some(credentials.email.clone());
        let password = credentials.password.expose_secret().to_owned();
        Ok(self.post(paths::LOGIN).json(&LoginRequest { email, username: None, password }))
    }

    /// Presents the session's refresh token.
    pub(super) async fn present(&self, session: &Session, key: Option<&str>) -> Result<Answer, Trouble> {
        let request = with_refresh_token(self.post(paths::REFRESH), session);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.browser.send(request).await
    }

    /// Exchanges the session's refresh token for its successor.
    pub(super) async fn rotate(&self, session: &Session, key: Option<&str>) -> Result<Session, Trouble> {
        let answer = self.present(session, key).await?.with_status(200)?;
        Session::of(&answer, self.transport()?)
    }

    /// Ends the session. A token of any generation does.
    pub(super) async fn sign_out(&self, session: &Session) -> Result<Answer, Trouble> {
        self.browser.send(with_refresh_token(self.post(paths::LOGOUT), session)).await
    }
}
