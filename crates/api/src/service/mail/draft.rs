//! What the transaction that prepares a mail finds.

use super::text::MailBody;
use crate::store::QueryResult;
use crate::store::mail_outbox::MailRow;
use crate::store::one_time_tokens::Replacement;

/// A mail that can be sent now.
pub(super) struct Draft {
    /// The updated row.
    pub(super) mail: MailRow,
    pub(super) to: String,
    pub(super) body: MailBody,
    /// The older links for the same account and purpose, which its own replaces.
    pub(super) replaces: Option<Replacement>,
}

/// Why a row of the outbox is not sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsent {
    /// There is no such account, pending registration or row of a feature, nothing left to confirm, the link was used or replaced, a newer
    /// mail is queued, or the owner is notified instead.
    NothingToSend,
    /// The row was deleted, or another worker has leased it.
    Withdrawn,
    /// A link exceeds the address's quota. It was deleted, with others that waited for the same address: this number in all.
    OverQuota(usize),
    /// A notice exceeds the address's quota and waits.
    Deferred,
}

pub(super) type PrepareResult = QueryResult<Result<Draft, Unsent>>;
