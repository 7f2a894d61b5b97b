//! Somebody wanted an account for an address that has one.

use super::mail::{Content, Mail, NoticeTo, Share};
use super::words::{Part, Site, new_password, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "You already have an account",
    content: Content::Notice(NoticeTo::Owner, words),
    worth_sending: Duration::hours(24),
    share: Share::Strangers,
    needs: None,
};

fn words(site: &Site<'_>) -> Vec<Part> {
    vec![
        text(format!(
            "Somebody wanted to use this address for an account at {}, but there is one already. If it was you, sign in:",
            site.name()
        )),
        Part::Link { label: "Sign in", url: site.page("/login") },
        text("If you do not remember the password, choose a new one:"),
        new_password(site),
        text("If it was not you, do nothing: nothing was changed."),
    ]
}
