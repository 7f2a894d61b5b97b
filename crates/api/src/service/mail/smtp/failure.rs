//! What a failure at a step of the conversation is about.

use crate::metrics::MailStep;
use crate::service::mail::transport::{About, SendError};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::{Category, Code, Severity};
use std::error::Error as _;

pub(super) fn judge(step: MailStep, error: &Error) -> SendError {
    let code = error.status();
    let is_final = code.is_some_and(|code| code.severity == Severity::PermanentNegativeCompletion);
    let about = match step {
        MailStep::Rcpt if is_final && is_about_recipient(code, error) => About::Recipient,
        MailStep::Rcpt | MailStep::Data | MailStep::Message => About::Mail,
        MailStep::Connect | MailStep::StartTls | MailStep::Auth | MailStep::Mail => About::Us,
    };
    let refuses = match about {
        About::Recipient => false,
        About::Mail => is_final,
        About::Us => code.is_some(),
    };
    SendError { about, why: told(step, error), refused_at: refuses.then_some(step) }
}

pub(super) fn took_too_long(step: MailStep) -> SendError {
    let about = match step {
        MailStep::Connect | MailStep::StartTls | MailStep::Auth | MailStep::Mail => About::Us,
        MailStep::Rcpt | MailStep::Data | MailStep::Message => About::Mail,
    };
    SendError::new(about, format!("the mail server took too long ({})", step.as_str()))
}

/// Even `RCPT` may be refused because of us: by a demand for a login (530), or because we may not send there or from here,
/// which servers report as 5.7.x (RFC 3463, section 3.8): a relay that does not know us, a block list, SPF.
fn is_about_recipient(code: Option<Code>, error: &Error) -> bool {
    let is_about_mail = code.is_some_and(|code| code.category == Category::MailSystem);
    let words = error.source().map(ToString::to_string).unwrap_or_default();
    is_about_mail && !words.trim_start().starts_with("5.7.")
}

/// The server's own words often repeat the recipient's address, so of a response only the code is reported.
fn told(step: MailStep, error: &Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answers {code} ({})", step.as_str()),
        None => format!("the mail server cannot be used: {error} ({})", step.as_str()),
    }
}
