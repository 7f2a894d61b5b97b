//! The messages between the API and the page of notes.
#![warn(missing_docs)]

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A user's notes: `GET` a page of them, `POST` a new one.
pub const NOTES: &str = "/api/notes/";
/// One note: `GET`, `PATCH`, `DELETE`.
pub const NOTE: &str = "/api/notes/{id}/";

/// Longest note, characters.
pub const TEXT_MAX_LENGTH: usize = 2_000;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Note {
    /// Its number.
    pub id: i64,
    /// Its text.
    pub text: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub changed_at: DateTime<Utc>,
}

/// The text of a new or changed note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoteRequest {
    /// At most 2,000 characters.
    pub text: String,
}

/// Checks the text of a note: in the page before it sends, and in the API.
///
/// # Errors
/// A message for the author.
pub fn check_text(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("Write something.".to_owned());
    }
    match text.chars().count() {
        0..=TEXT_MAX_LENGTH => Ok(()),
        length => Err(format!("A note has at most {TEXT_MAX_LENGTH} characters, and this one has {length}.")),
    }
}
