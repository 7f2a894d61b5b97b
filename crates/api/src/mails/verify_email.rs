//! A link that confirms the account's address.

use super::link::{MailLink, Purpose};
use super::mail::{Content, Mail, Needs, QuotaShare};
use super::parts::{FrontEnd, MailPart, link, text};
use chrono::Duration;
use secrecy::SecretString;

pub(super) static MAIL: Mail = Mail {
    subject: "Confirm your email address",
    content: Content::Link(MailLink::Account(Purpose::VerifyEmail), body),
    send_within: Duration::hours(24),
    share: QuotaShare::Unauthenticated,
    needs: Some(Needs::Unconfirmed),
};

fn body(front_end: &FrontEnd<'_>, token: &SecretString) -> Vec<MailPart> {
    vec![
        text(format!(
            "An account at {} was created with this address. If it is yours, open this link:",
            front_end.name()
        )),
        link(MAIL.subject, front_end.page_with("/verify-email", token)),
        text(
            "The link works once, within 24 hours. If it was not you, open it and press \"I did not sign up\": that deletes the account. If you do nothing, the address stays unconfirmed.",
        ),
    ]
}
