//! What the words of a mail are made of.

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

    /// What people know it by: its host.
    pub(super) fn name(&self) -> &'a str {
        let host = self.url.split_once("://").map_or(self.url, |(_, rest)| rest);
        host.split('/').next().unwrap_or(host)
    }

    pub(super) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// In the fragment, which no browser sends to a server: no log and no referrer sees the token.
    pub(super) fn page_with(&self, path: &str, token: &SecretString) -> String {
        format!("{}{path}#token={}", self.url, token.expose_secret())
    }
}

/// A piece of a mail.
pub(crate) enum MailPart {
    Text(String),
    Link { label: &'static str, url: String },
}

pub(super) fn text(words: impl Into<String>) -> MailPart {
    MailPart::Text(words.into())
}

/// Where whoever fears for their account begins.
pub(super) fn new_password(front_end: &FrontEnd<'_>) -> MailPart {
    MailPart::Link { label: "Choose a new password", url: front_end.page("/forgot-password") }
}
