//! To the address that an account had: the account is gone.

use super::mail::{Content, Mail, NoticeTo, Share};
use super::words::{Part, Site, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "Your account was deleted",
    content: Content::Notice(NoticeTo::Recipient, words),
    worth_sending: Duration::hours(72),
    share: Share::Account,
    needs: None,
};

fn words(site: &Site<'_>) -> Vec<Part> {
    vec![
        text(format!(
            "Your account at {} was deleted, with all that was stored about you. Every device was signed out.",
            site.name()
        )),
        text("If it was not you, somebody knew your password: change it wherever else you use it."),
    ]
}
