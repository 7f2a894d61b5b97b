//! The mails that this process has claimed and not dealt with yet.
//!
//! A process that ends gives them back. Without that they would wait until their claims run out.

use crate::store::mail_outbox::MailRow;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Mails that use the database at once. All of this process's own work has one share there.
const DATABASE_TURNS: usize = 4;

#[derive(Debug)]
pub(super) struct InFlight {
    mails: Mutex<HashMap<i64, MailRow>>,
    is_stopping: AtomicBool,
    turns: Semaphore,
}

impl Default for InFlight {
    fn default() -> Self {
        let (mails, is_stopping) = (Mutex::default(), AtomicBool::default());
        Self { mails, is_stopping, turns: Semaphore::new(DATABASE_TURNS) }
    }
}

impl InFlight {
    /// Held while a mail uses the database, and not while its server is waited for.
    pub(super) async fn database_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok() // the semaphore is never closed
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

    /// No further mail is claimed.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }
}
