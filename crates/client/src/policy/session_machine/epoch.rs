//! Separates the sessions of one tab from each other.

/// The time between two changes of the session in one tab. Each sign-in and sign-out, here or in another tab, is a change.
///
/// A page's requests belong to the epoch that the page was built in. In any other epoch they are not sent, and their
/// responses are dropped: another person may be using the browser by then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch after this one.
    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
