//! To the old address: the account has another one now.

use super::mail::{Content, Mail, NoticeTo, Share};
use super::words::{Part, Site, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "Your email address was changed",
    content: Content::Notice(NoticeTo::Recipient, words),
    worth_sending: Duration::hours(72),
    share: Share::Account,
    needs: None,
};

fn words(site: &Site<'_>) -> Vec<Part> {
    vec![
        text(format!("Your account at {} has another address now, and this one is not used any more.", site.name())),
        text("If it was not you, somebody else has your account: write to those who run the site at once."),
    ]
}
