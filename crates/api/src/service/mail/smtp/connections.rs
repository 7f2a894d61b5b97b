//! Connections that several mails share.

use super::conversation::{Attempt, Progress, greet, hand_over};
use super::error::{ConversationError, DONE, expect};
use super::failure::{classify, may_be_of_connection, took_too_long};
use super::server::{GOODBYE_TIMEOUT, Server};
use crate::service::mail::send_error::SendError;
use lettre::Message;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::Rset;
use parking_lot::Mutex;

/// Connections to a mail server.
pub(in crate::service::mail) struct Connections<'a> {
    server: &'a Server,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

impl<'a> Connections<'a> {
    pub(in crate::service::mail) fn to(server: &'a Server) -> Self {
        Self { server, idle: Mutex::default() }
    }

    /// Sends one mail.
    pub(in crate::service::mail) async fn send(
        &self,
        message: &Message,
        attempt: &impl Attempt,
    ) -> Result<(), SendError> {
        let progress = Progress::default();
        match tokio::time::timeout(self.server.timeout, self.converse(message, &progress, attempt)).await {
            Ok(sent) => sent.map_err(|error| classify(progress.step(), &error, message)),
            Err(_) => Err(took_too_long(progress.step())),
        }
    }

    async fn converse(
        &self,
        message: &Message,
        progress: &Progress,
        attempt: &impl Attempt,
    ) -> Result<(), ConversationError> {
        if let Some(mut used) = self.reuse().await {
            let handed_over = hand_over(&mut used, message, progress, attempt).await;
            let is_of_connection = |error: &ConversationError| may_be_of_connection(progress.step(), error, message);
            if !handed_over.as_ref().is_err_and(is_of_connection) {
                self.keep(used, &handed_over);
                return handed_over;
            }
        }
        let mut fresh = greet(self.server, progress).await?;
        let handed_over = hand_over(&mut fresh, message, progress, attempt).await;
        self.keep(fresh, &handed_over);
        handed_over
    }

    /// Keeps the connection for the next mail. After a refusal the server goes on listening, unless it closed the session; after any
    /// other error its state is unknown.
    fn keep(&self, connection: AsyncSmtpConnection, handed_over: &Result<(), ConversationError>) {
        if handed_over.as_ref().err().is_none_or(ConversationError::leaves_connection) {
            self.idle.lock().push(connection);
        }
    }

    /// An open connection, reset after its last mail.
    async fn reuse(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let mut connection = self.idle.lock().pop()?;
            if let Ok(Ok(reply)) = tokio::time::timeout(GOODBYE_TIMEOUT, connection.command(Rset)).await
                && expect(&reply, DONE).is_ok()
            {
                return Some(connection);
            }
        }
    }

    pub(in crate::service::mail) async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock());
        let goodbyes = idle.into_iter().map(|mut connection| async move { connection.abort().await });
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, futures_util::future::join_all(goodbyes)).await;
    }
}
