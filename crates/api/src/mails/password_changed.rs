//! The password was changed.

use super::mail::{Content, Mail, NoticeTo, Share};
use super::words::{Part, Site, new_password, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "Your password was changed",
    content: Content::Notice(NoticeTo::Recipient, words),
    worth_sending: Duration::hours(72),
    share: Share::Account,
    needs: None,
};

fn words(site: &Site<'_>) -> Vec<Part> {
    vec![
        text(format!(
            "The password of your account at {} was changed, and every other device was signed out.",
            site.name()
        )),
        text("If it was not you, choose a new password at once:"),
        new_password(site),
    ]
}
