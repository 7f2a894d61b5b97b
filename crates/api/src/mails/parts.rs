//! The parts of a mail's content.

use secrecy::{ExposeSecret, SecretString};

/// The front end that links lead to.
#[derive(Debug)]
pub(crate) struct FrontEnd<'a> {
    url: &'a str,
}

impl<'a> FrontEnd<'a> {
    pub(crate) const fn at(url: &'a str) -> Self {
        Self { url }
    }

    /// The name by which people know it: its host.
    pub(super) fn name(&self) -> &'a str {
        let host = self.url.split_once("://").map_or(self.url, |(_, rest)| rest);
        host.split('/').next().unwrap_or(host)
    }

    pub(super) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The URL of a page with a token in its fragment. Browsers do not send the fragment, so no log and no referrer contains the token.
    pub(super) fn page_with(&self, path: &str, token: &SecretString) -> String {
        format!("{}{path}#token={}", self.url, token.expose_secret())
    }
}

/// A piece of a mail.
pub(crate) enum MailPart {
    Text(String),
    Link { label: &'static str, url: String },
}

pub(super) fn text(text: impl Into<String>) -> MailPart {
    MailPart::Text(text.into())
}

/// A link to the page where a user who fears for the account chooses a new password.
pub(super) fn new_password(front_end: &FrontEnd<'_>) -> MailPart {
    MailPart::Link { label: "Choose a new password", url: front_end.page("/forgot-password") }
}
