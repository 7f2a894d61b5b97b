//! The API's routes, one function each, for the pages of a signed-in user.

use super::Call;
use crate::policy::{Failure, read_empty, read_json};
use crate::session::Session;
use auth_types::SessionId;
use auth_types::requests::UpdateMeRequest;
use auth_types::responses::{EmptyResponse, RevokedResponse, SessionResponse, UserResponse};

/// What a signed-in user can ask for. Errors are what to tell them instead.
#[derive(Debug, Clone, Copy)]
pub struct Api {
    session: Session,
}

impl Api {
    /// The API as `session` sees it.
    #[must_use]
    pub const fn new(session: Session) -> Self {
        Self { session }
    }

    /// The user.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn me(self) -> Result<UserResponse, Failure> {
        read_json(self.session.send(Call::get("/api/auth/me/")).await?)
    }

    /// Changes the user.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn update_me(self, changes: &UpdateMeRequest) -> Result<UserResponse, Failure> {
        read_json(self.session.send(Call::patch("/api/auth/me/", changes)).await?)
    }

    /// The user's sessions.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn sessions(self) -> Result<Vec<SessionResponse>, Failure> {
        read_json(self.session.send(Call::get("/api/auth/sessions/")).await?)
    }

    /// Ends one session.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn end_session(self, id: SessionId) -> Result<(), Failure> {
        read_empty(self.session.send(Call::delete(format!("/api/auth/sessions/{id}/"))).await?)
    }

    /// Ends all sessions, this one included.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn logout_everywhere(self) -> Result<RevokedResponse, Failure> {
        read_json(self.session.send(Call::post("/api/auth/logout/all/", &EmptyResponse {})).await?)
    }
}
