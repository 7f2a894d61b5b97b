//! To the new address of an account: a link that confirms the change.

use super::link::{MailLink, Purpose};
use super::mail::{Content, Mail, QuotaShare};
use super::parts::{FrontEnd, MailPart, link, text};
use chrono::Duration;
use secrecy::SecretString;

pub(super) static MAIL: Mail = Mail {
    subject: "Confirm your new email address",
    content: Content::Link(MailLink::Account(Purpose::ChangeEmail), body),
    send_within: Duration::hours(24),
    share: QuotaShare::Own,
    needs: None,
};

fn body(front_end: &FrontEnd<'_>, token: &SecretString) -> Vec<MailPart> {
    vec![
        text(format!(
            "Someone wants to use this address for their account at {}. If it was you, open this link:",
            front_end.name()
        )),
        link(MAIL.subject, front_end.page_with("/change-email", token)),
        text("The link works once, within 24 hours. If it was not you, ignore this mail, and nothing will change."),
    ]
}
