//! What a signed-in user can ask the API for, one function each.

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

/// What a signed-in user can ask for on a page of theirs. Errors are what to tell them instead.
#[derive(Debug, Clone, Copy)]
pub struct Api {
    page: PageSession,
}

impl Api {
    /// The API for the session that `page` was built for.
    pub const fn new(page: PageSession) -> Self {
        Self { page }
    }

    /// The user.
    pub async fn me(self) -> Result<UserResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::get(paths::ME)).await?)
    }

    /// Changes the user.
    pub async fn update_me(self, changes: &UpdateMeRequest) -> Result<UserResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::patch(paths::ME, changes)).await?)
    }

    /// Gives the user a picture.
    pub async fn give_picture(self, file: FileContent) -> Result<AvatarResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::put_file(paths::ME_AVATAR, file)).await?)
    }

    /// Takes the user's picture away.
    pub async fn remove_picture(self) -> Result<AvatarResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::delete(paths::ME_AVATAR)).await?)
    }

    /// Everything that is stored about the user, as a text to keep.
    pub async fn export(self) -> Result<String, RequestFailure> {
        let stored: Value = read_json(self.page.send(ApiRequest::get(paths::ME_EXPORT)).await?)?;
        // With an indent: people read it, too.
        Ok(format!("{stored:#}\n"))
    }

    /// What happened to the account, newest first, from where `cursor` says on.
    pub async fn events(self, cursor: &str) -> Result<EventsResponse, RequestFailure> {
        read_json(self.page.send(ApiRequest::get(format!("{}?cursor={cursor}", paths::EVENTS))).await?)
    }

    /// Asks for a mail to the address that the user wants.
    pub async fn change_email(self, request: &EmailChangeRequest, seed: Uuid) -> Result<(), RequestFailure> {
        read_empty(self.page.send(ApiRequest::post(paths::EMAIL_CHANGE, request).once(seed)).await?)
    }

    /// The user's sessions.
    pub async fn sessions(self) -> Result<Vec<SessionResponse>, RequestFailure> {
        read_json(self.page.send(ApiRequest::get(paths::SESSIONS)).await?)
    }

    /// Ends one session. One that is not there any more has ended.
    pub async fn end_session(self, id: SessionId) -> Result<(), RequestFailure> {
        let ended =
            read_empty(self.page.send(ApiRequest::delete(paths::SESSION.replace("{id}", &id.to_string()))).await?);
        match ended {
            Err(RequestFailure::Refused(refusal)) if refusal.reason == Reason::NotFound => Ok(()),
            other => other,
        }
    }
}
