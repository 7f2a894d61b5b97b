//! A link to choose a new password.

use super::link::{Link, Purpose};
use super::mail::{Content, Mail, Needs, Share};
use super::words::{Part, Site, text};
use chrono::Duration;
use secrecy::SecretString;

pub(super) static MAIL: Mail = Mail {
    subject: "Choose a new password",
    content: Content::Link(Link::Account(Purpose::ResetPassword), words),
    worth_sending: Duration::hours(1),
    share: Share::Strangers,
    needs: Some(Needs::Account),
};

fn words(site: &Site<'_>, token: &SecretString) -> Vec<Part> {
    vec![
        text(format!(
            "Somebody asked to reset the password of your account at {}. Open this link to choose a new one:",
            site.name()
        )),
        Part::Link { label: MAIL.subject, url: site.page_with("/reset-password", token) },
        text(
            "The link works once, within an hour. If it was not you who asked, do nothing: your password stays as it is.",
        ),
    ]
}
