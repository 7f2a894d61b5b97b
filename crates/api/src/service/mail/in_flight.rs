//! The mails that this process has leased and not finished yet.
//!
//! A process that ends releases them. Otherwise they would wait until their leases expire.

use crate::store::mail_outbox::MailRow;
use chrono::{DateTime, Duration, Utc};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a worker may hold a mail before another one can lease it: longer than the database and the server may take.
pub(super) const LEASE: Duration = Duration::minutes(2);
/// How many mails may use the database at once. All background work of this process has one share there.
const DATABASE_PERMITS: usize = 4;

/// When a worker leased the mail that it holds.
pub(super) fn leased_at(mail: &MailRow) -> DateTime<Utc> {
    mail.due_at - LEASE
}

#[derive(Debug)]
pub(super) struct InFlight {
    /// By id and the end of the lease: this process may lease a mail again while its first attempt is still in progress.
    mails: Mutex<HashMap<(i64, DateTime<Utc>), MailRow>>,
    is_stopping: AtomicBool,
    permits: Semaphore,
}

impl Default for InFlight {
    fn default() -> Self {
        Self { mails: Mutex::default(), is_stopping: AtomicBool::default(), permits: Semaphore::new(DATABASE_PERMITS) }
    }
}

impl InFlight {
    /// A permit to use the database. It is not held while waiting for the mail server.
    pub(super) async fn database_permit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok() // the semaphore is never closed
    }

    pub(super) fn add(&self, mails: &[MailRow]) {
        self.mails.lock().extend(mails.iter().map(|mail| ((mail.id, mail.due_at), mail.clone())));
    }

    pub(super) fn remove(&self, mail: &MailRow) {
        self.mails.lock().remove(&(mail.id, mail.due_at));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mails.lock().is_empty()
    }

    pub(super) fn take_all(&self) -> Vec<MailRow> {
        self.mails.lock().drain().map(|(_, mail)| mail).collect()
    }

    /// Stops the leasing of further mails.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{DateTime, Duration, InFlight, MailRow};
    use crate::mails::MailKind;

    #[test]
    fn a_mail_that_was_leased_again_stays_when_its_first_attempt_ends() {
        let start = DateTime::UNIX_EPOCH;
        let first = MailRow {
            id: 1,
            kind: MailKind::VerifyEmail.into(),
            user_id: None,
            registration_id: None,
            recipient: String::new(),
            ip_address: None,
            user_agent: None,
            created_at: start,
            due_at: start + Duration::minutes(2),
            expires_at: start + Duration::hours(1),
            attempts: 1,
            requester: None,
            occurrences: 1,
            first_at: None,
            unacknowledged: 0,
            about: None,
        };
        let second = MailRow { attempts: 2, due_at: start + Duration::minutes(4), ..first.clone() };
        let mails = InFlight::default();
        mails.add(&[first.clone(), second]);
        mails.remove(&first);
        let left: Vec<_> = mails.take_all().iter().map(|mail| mail.attempts).collect();
        assert_eq!(left, [2]);
    }
}
