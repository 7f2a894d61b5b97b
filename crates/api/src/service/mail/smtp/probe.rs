//! Tests whether the mail server would accept a mail.

use super::conversation::{Progress, greet};
use super::error::{ConversationError, DONE, expect};
use super::server::{GOODBYE_TIMEOUT, Server};
use super::step::MailStep;
use lettre::Address;
use lettre::transport::smtp::commands::Mail;

/// Why a mail server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("refuses us at {}", .0.as_str())]
    Refuses(MailStep, #[source] ConversationError),
    #[error("cannot be used")]
    Unusable(#[source] ConversationError),
}

/// Conducts a conversation up to `MAIL`, which names the sender.
pub(in crate::service::mail) async fn probe(server: &Server, from: &Address) -> Result<(), ProbeError> {
    let progress = Progress::default();
    let conversation = async {
        let mut connection = greet(server, &progress).await?;
        progress.reach(MailStep::Mail);
        let taken = connection.command(Mail::new(Some(from.clone()), Vec::new())).await;
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, connection.abort()).await;
        expect(&taken?, DONE)
    };
    conversation.await.map_err(|error| match error.status() {
        Some(_) => ProbeError::Refuses(progress.step(), error),
        None => ProbeError::Unusable(error),
    })
}
