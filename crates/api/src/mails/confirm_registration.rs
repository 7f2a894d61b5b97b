//! A link that turns a pending registration into an account.

use super::link::MailLink;
use super::mail::{Content, Mail, QuotaShare};
use super::parts::{FrontEnd, MailPart, link, text};
use chrono::Duration;
use secrecy::SecretString;

pub(super) static MAIL: Mail = Mail {
    subject: "Confirm your email address",
    content: Content::Link(MailLink::PendingRegistration, body),
    send_within: Duration::hours(24),
    share: QuotaShare::Unauthenticated,
    needs: None,
};

fn body(front_end: &FrontEnd<'_>, token: &SecretString) -> Vec<MailPart> {
    vec![
        text(format!("Someone signed up at {} with this address. If it was you, open this link:", front_end.name())),
        link(MAIL.subject, front_end.page_with("/verify-email", token)),
        text(
            "The link works once, within 24 hours. If it was not you, do not confirm it: the account would have a password that someone else chose. Unless you confirm it, no account is created.",
        ),
    ]
}
