//! The API requests of a signed-in user, one function each.

use super::PageSession;
use crate::http::{ApiRequest, FileContent};
use crate::policy::{RequestFailure, read_empty, read_json};
use auth_types::events::EventsResponse;
use auth_types::paths;
use auth_types::requests::{EmailChangeRequest, UpdateMeRequest};
use auth_types::responses::{AvatarResponse, SessionResponse, UserResponse};
use auth_types::{Reason, SessionId};
use serde_json::Value;
use uuid::Uuid;

/// The API as the user of a page sees it. Every error has the message to show instead (`RequestFailure::message`).
#[derive(Debug, Clone, Copy)]
pub struct Api {
    page: PageSession,
}

impl Api {
    /// The API, with the session that `page` was built for.
    pub const fn new(page: PageSession) -> Self {
        Self { page }
    }

    /// Fetches the user.
    pub async fn me(self) -> Result<UserResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::get(paths::ME)).await?)
    }

    /// Changes the user's profile.
    pub async fn update_me(self, changes: &UpdateMeRequest) -> Result<UserResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::patch(paths::ME, changes)).await?)
    }

    /// Uploads the user's picture.
    pub async fn upload_picture(self, file: FileContent) -> Result<AvatarResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::put_file(paths::ME_AVATAR, file)).await?)
    }

    /// Removes the user's picture.
    pub async fn remove_picture(self) -> Result<AvatarResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::delete(paths::ME_AVATAR)).await?)
    }

    /// Fetches everything that is stored about the user, as JSON text.
    pub async fn export(self) -> Result<String, RequestFailure> {
        let stored: Value = read_json(self.page.send(ApiRequest::get(paths::ME_EXPORT)).await?)?;
        // Indented, because people read it, too.
        Ok(format!("{stored:#}\n"))
    }

    /// Fetches a page of the account's events, newest first, starting at `cursor`.
    pub async fn events(self, cursor: &str) -> Result<EventsResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::get(format!("{}?cursor={cursor}", paths::EVENTS))).await?)
    }

    /// Asks for a mail that confirms the user's new address.
    pub async fn change_email(self, request: &EmailChangeRequest, seed: Uuid) -> Result<(), RequestFailure> {
        read_empty(self.page.send(ApiRequest::post(paths::EMAIL_CHANGE, request).once(seed)).await?)
    }

    /// Fetches the user's sessions.
    pub async fn sessions(self) -> Result<Vec<SessionResponse>, RequestFailure> {
        read_json(self.page.send(ApiRequest::get(paths::SESSIONS)).await?)
    }

    /// Ends one session. A session that does not exist counts as ended.
    pub async fn end_session(self, id: SessionId) -> Result<(), RequestFailure> {
        let ended =
            read_empty(self.page.send(ApiRequest::delete(paths::SESSION.replace("{id}", &id.to_string()))).await?);
        match ended {
            Err(RequestFailure::Refused(refusal)) if refusal.reason == Reason::NotFound => Ok(()),
            other => other,
        }
    }
}
