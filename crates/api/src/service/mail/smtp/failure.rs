//! The scope of a failure at a step of the conversation.

use super::conversation::is_special;
use super::error::ConversationError;
use super::reply_text::{are_about_form, are_about_recipient};
use super::step::MailStep;
use crate::service::mail::send_error::{FailureScope, SendError, ServerResponse};
use lettre::Message;
use lettre::transport::smtp::response::{Code, Severity};

/// Determines the scope of a failure to send `message`.
pub(super) fn classify(step: MailStep, error: &ConversationError, message: &Message) -> SendError {
    let scope = scope_of(step, error, message);
    let response = match scope {
        _ if may_have_arrived(step, error) => ServerResponse::Unacknowledged,
        FailureScope::Mail | FailureScope::Form if is_final(error) => ServerResponse::Refuses(step),
        FailureScope::Recipient | FailureScope::Mail => ServerResponse::AcceptsUs,
        FailureScope::Us if error.status().is_some() || error.is_of_configuration() => ServerResponse::Refuses(step),
        FailureScope::Us | FailureScope::Form => ServerResponse::None,
    };
    SendError { scope, why: describe(step, error), response }
}

fn scope_of(step: MailStep, error: &ConversationError, message: &Message) -> FailureScope {
    let code = error.status().map(u16::from);
    let text = error.text();
    let is_of_recipient = || code.is_some_and(|code| are_about_recipient(code, &text, message.envelope()));
    // A mail that is not plain ASCII has parameters that others do not have.
    let is_of_form = matches!(error, ConversationError::NoUtf8)
        || (code.is_some_and(|code| are_about_form(code, &text)) && is_special(message));
    match step {
        MailStep::Rcpt if is_final(error) && is_of_recipient() => FailureScope::Recipient,
        MailStep::Mail | MailStep::Rcpt | MailStep::Data | MailStep::Message if is_of_form => FailureScope::Form,
        MailStep::Connect | MailStep::StartTls | MailStep::Auth | MailStep::Mail => FailureScope::Us,
        MailStep::Rcpt | MailStep::Data | MailStep::Message => FailureScope::Mail,
    }
}

/// Whether the server has the whole mail and has not refused it. A success code of another step says nothing.
fn may_have_arrived(step: MailStep, error: &ConversationError) -> bool {
    let is_refusal = |code: Code| {
        matches!(code.severity, Severity::TransientNegativeCompletion | Severity::PermanentNegativeCompletion)
    };
    step == MailStep::Message && !error.status().is_some_and(is_refusal)
}

fn is_final(error: &ConversationError) -> bool {
    error.status().is_some_and(|code| code.severity == Severity::PermanentNegativeCompletion)
}

pub(super) fn took_too_long(step: MailStep) -> SendError {
    let (scope, response) = match step {
        MailStep::Connect | MailStep::StartTls | MailStep::Auth | MailStep::Mail => {
            (FailureScope::Us, ServerResponse::None)
        }
        MailStep::Rcpt | MailStep::Data => (FailureScope::Mail, ServerResponse::AcceptsUs),
        MailStep::Message => (FailureScope::Mail, ServerResponse::Unacknowledged),
    };
    SendError { scope, why: format!("the mail server took too long ({})", step.as_str()), response }
}

/// Whether a new connection may succeed where a reused one failed: many servers accept a limited number of mails per connection and
/// then refuse the next one, or close it. Not after the end of a mail, because the server may have accepted it.
pub(super) fn may_be_of_connection(step: MailStep, error: &ConversationError, message: &Message) -> bool {
    match step {
        MailStep::Mail => !matches!(scope_of(step, error, message), FailureScope::Form),
        MailStep::Rcpt | MailStep::Data => {
            let is_withheld = matches!(error, ConversationError::Withheld(_));
            !is_withheld && (error.status().is_none() || error.is_goodbye())
        }
        MailStep::Connect | MailStep::StartTls | MailStep::Auth | MailStep::Message => false,
    }
}

fn describe(step: MailStep, error: &ConversationError) -> String {
    let about = match error {
        ConversationError::Withheld(_) => "not sent:",
        ConversationError::OutOfStep(_) | ConversationError::NoUtf8 => "the mail server",
        ConversationError::Smtp(error) if error.status().is_some() => "the mail server",
        ConversationError::Smtp(_) => "the mail server cannot be used:",
    };
    format!("{about} {error} ({})", step.as_str())
}

#[cfg(test)]
mod tests {
    use super::{ConversationError, MailStep, Message, may_be_of_connection};

    #[test]
    fn a_mail_that_must_not_be_sent_is_not_tried_on_another_connection() -> Result<(), Box<dyn std::error::Error>> {
        let message = Message::builder().from("a@example.com".parse()?).to("b@example.com".parse()?);
        let message = message.body("Hello".to_owned())?;
        let is_of_connection = |error| may_be_of_connection(MailStep::Data, &error, &message);
        assert!(!is_of_connection(ConversationError::Withheld("it was withdrawn".to_owned())));
        Ok(())
    }
}
