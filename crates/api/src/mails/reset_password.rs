//! A link to choose a new password.

use super::link::{MailLink, Purpose};
use super::mail::{Content, Mail, Needs, QuotaShare};
use super::parts::{FrontEnd, MailPart, link, text};
use chrono::Duration;
use secrecy::SecretString;

pub(super) static MAIL: Mail = Mail {
    subject: "Choose a new password",
    content: Content::Link(MailLink::Account(Purpose::ResetPassword), body),
    send_within: Duration::hours(1),
    share: QuotaShare::Unauthenticated,
    needs: Some(Needs::Account),
};

fn body(front_end: &FrontEnd<'_>, token: &SecretString) -> Vec<MailPart> {
    vec![
        text(format!(
            "Someone asked to reset the password of your account at {}. Open this link to choose a new one:",
            front_end.name()
        )),
        link(MAIL.subject, front_end.page_with("/reset-password", token)),
        text("The link works once, within an hour. If it was not you, ignore this mail: your password stays as it is."),
    ]
}
