//! The key of a picture: an unguessable name.

use super::picture::Kind;
use std::fmt;

/// 122 random bits, and the kind of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvatarKey {
    pub(super) text: String,
    kind: Kind,
}

impl AvatarKey {
    pub(super) fn new(kind: Kind) -> Self {
        Self { text: format!("{}.{}", uuid::Uuid::new_v4().simple(), kind.extension()), kind }
    }

    /// `None` when no picture can have this key.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, extension) = text.split_once('.')?;
        let kind = Kind::KEPT.into_iter().find(|kind| kind.extension() == extension)?;
        let well_formed = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        well_formed.then(|| Self { text: text.to_owned(), kind })
    }

    pub const fn kind(&self) -> Kind {
        self.kind
    }

    pub(in crate::service) fn file_name(&self) -> String {
        file_name(&self.text)
    }
}

impl fmt::Display for AvatarKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

pub(super) fn file_name(key: &str) -> String {
    format!("avatars/{key}")
}

/// The path under which the API serves the picture with this key.
pub(in crate::service) fn url(key: &str) -> String {
    format!("/api/avatars/{key}")
}
