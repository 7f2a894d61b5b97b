//! Requests with and without tokens.

use super::context::{Smoke, learnt};
use super::response::{CheckFailure, SmokeResponse};
use super::session::{SmokeSession, with_refresh_token};
use auth_types::paths;
use auth_types::requests::LoginRequest;
use auth_types::responses::TokenTransport;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};

impl Smoke {
    pub(super) fn transport(&self) -> Result<TokenTransport, CheckFailure> {
        Ok(learnt(&self.config)?.token_transport)
    }

    /// A request of no page: the checks of CORS cover what the front end's pages may do.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.browser.request(Method::POST, self.plan.api.at(path))
    }

    /// A request of the caller that the access token names.
    pub(super) async fn ask_as(&self, access: &SecretString, path: &str) -> Result<SmokeResponse, CheckFailure> {
        self.browser.send(self.browser.get(self.plan.api.at(path)).bearer_auth(access.expose_secret())).await
    }

    /// A session of its own: what one check does to it, no other notices.
    pub(super) async fn new_session(&self) -> Result<SmokeSession, CheckFailure> {
        let response = self.browser.send(self.login_request()?).await?.with_status(200)?;
        self.opened(&response)
    }

    /// Reads a session, and remembers to sign out of it.
    pub(super) fn opened(&self, response: &SmokeResponse) -> Result<SmokeSession, CheckFailure> {
        let session = SmokeSession::of(response, self.transport()?)?;
        self.opened.borrow_mut().push(session.clone());
        Ok(session)
    }

    pub(super) fn login_request(&self) -> Result<RequestBuilder, CheckFailure> {
        let credentials = learnt(&self.credentials)?;
        let email = Some(credentials.email.clone());
        let password = credentials.password.expose_secret().to_owned();
        Ok(self.post(paths::LOGIN).json(&LoginRequest { email, username: None, password }))
    }

    /// Presents the session's refresh token.
    pub(super) async fn present(
        &self,
        session: &SmokeSession,
        key: Option<&str>,
    ) -> Result<SmokeResponse, CheckFailure> {
        let request = with_refresh_token(self.post(paths::REFRESH), session);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.browser.send(request).await
    }

    /// Exchanges the session's refresh token for its successor.
    pub(super) async fn rotate(&self, session: &SmokeSession, key: Option<&str>) -> Result<SmokeSession, CheckFailure> {
        let response = self.present(session, key).await?.with_status(200)?;
        SmokeSession::of(&response, self.transport()?)
    }

    /// Ends the session. A token of any generation does.
    pub(super) async fn sign_out(&self, session: &SmokeSession) -> Result<SmokeResponse, CheckFailure> {
        self.browser.send(with_refresh_token(self.post(paths::LOGOUT), session)).await
    }
}
