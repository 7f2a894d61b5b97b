//! Whose turn it is in a tab.

/// The time between two changes of the session in one tab: somebody signed in, or out, here or in another tab.
///
/// Whatever a page asks for belongs to the epoch that the page was built in. In any other it is not sent, and its answer
/// is dropped: by then, somebody else may be sitting in front of the browser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Epoch(u64);

impl Epoch {
    /// The one that begins now.
    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
