//! The bounded resources, and the error when one has no capacity left.

/// What a gate protects; every route declares which of these it uses.
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

/// The queue is full, and the requester has the most waiters in it; the request may be retried in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait")]
pub struct Busy;
