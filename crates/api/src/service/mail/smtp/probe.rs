//! Tests whether the mail server would accept a mail.

use super::conversation::{Progress, greet};
use super::error::{ConversationError, DONE, expect};
use super::server::{GOODBYE_TIMEOUT, Server};
use super::step::MailStep;
use lettre::Address;
use lettre::transport::smtp::commands::Mail;

/// Why a mail server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    #[error("refuses us at {}", .0.as_str())]
    Refuses(MailStep, #[source] ConversationError),
    #[error("cannot be used")]
    Unusable(#[source] ConversationError),
}

/// Conducts a conversation up to `MAIL`, which names the sender.
pub(in crate::service::mail) async fn test(server: &Server, from: &Address) -> Result<(), TestError> {
    let progress = Progress::default();
    let test = async {
        let mut connection = greet(server, &progress).await?;
        progress.reach(MailStep::Mail);
        let taken = connection.command(Mail::new(Some(from.clone()), Vec::new())).await;
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, connection.abort()).await;
        expect(&taken?, DONE)
    };
    test.await.map_err(|error| match error.status() {
        Some(_) => TestError::Refuses(progress.step(), error),
        None => TestError::Unusable(error),
    })
}
