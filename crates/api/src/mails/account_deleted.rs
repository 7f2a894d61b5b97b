//! To the address of a deleted account: the account was deleted.

use super::mail::{Content, Mail, NoticeTo, QuotaShare};
use super::parts::{FrontEnd, MailPart, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "Your account was deleted",
    content: Content::Notice(NoticeTo::Recipient, body),
    send_within: Duration::hours(72),
    share: QuotaShare::Account,
    needs: None,
};

fn body(front_end: &FrontEnd<'_>) -> Vec<MailPart> {
    vec![
        text(format!(
            "Your account at {} was deleted, with all data stored about you. Every device was signed out.",
            front_end.name()
        )),
        text("If it was not you, someone else knew your password: change it everywhere else you use it."),
    ]
}
