//! The mails that this process has claimed and not finished yet.
//!
//! A process that ends releases them. Otherwise they would wait until their claims expire.

use crate::store::mail_outbox::MailRow;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many mails may use the database at once. All background work of this process has one share there.
const DATABASE_PERMITS: usize = 4;

#[derive(Debug)]
pub(super) struct InFlight {
    mails: Mutex<HashMap<i64, MailRow>>,
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
        self.mails.lock().extend(mails.iter().map(|mail| (mail.id, mail.clone())));
    }

    pub(super) fn remove(&self, id: i64) {
        self.mails.lock().remove(&id);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mails.lock().is_empty()
    }

    pub(super) fn take_all(&self) -> Vec<MailRow> {
        self.mails.lock().drain().map(|(_, mail)| mail).collect()
    }

    /// Stops the claiming of further mails.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }
}
