//! What is bounded, and what a caller is told when there is none left.

/// What is behind a gate; every route declares which of these it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    Database,
    Hashing,
    Pictures,
}

impl Resource {
    /// In metrics, logs and docs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Hashing => "hashing",
            Self::Pictures => "pictures",
        }
    }
}

/// The queue is full, and the caller's share holds most of it; try again in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait")]
pub struct Busy;
