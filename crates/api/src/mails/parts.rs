//! The parts of a mail's content.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// The front end that links lead to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrontEnd<'a> {
    url: &'a str,
}

impl<'a> FrontEnd<'a> {
    pub(crate) const fn at(url: &'a str) -> Self {
        Self { url }
    }

    pub(crate) const fn url(&self) -> &'a str {
        self.url
    }

    /// The name by which people know it: its host.
    pub(crate) fn name(&self) -> &'a str {
        let host = self.url.split_once("://").map_or(self.url, |(_, rest)| rest);
        host.split('/').next().unwrap_or(host)
    }

    pub(super) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The URL of a page whose path may hold any value: it never leads to another host, and no blank or line break ends it.
    pub(super) fn page_of_any(&self, path: &str) -> String {
        let url = format!("{}/{}", self.url, path.trim_start_matches('/'));
        Url::parse(&url).map_or_else(|_| self.url.to_owned(), Into::into)
    }

    /// The URL of a page with a token in its fragment. Browsers do not send the fragment, so no log and no referrer contains the token.
    pub(super) fn page_with(&self, path: &str, token: &SecretString) -> String {
        format!("{}{path}#token={}", self.url, token.expose_secret())
    }
}

/// A piece of a mail.
pub(crate) enum MailPart {
    Text(String),
    Link { label: String, url: String },
}

pub(super) fn text(text: impl Into<String>) -> MailPart {
    MailPart::Text(text.into())
}

pub(super) fn link(label: impl Into<String>, url: String) -> MailPart {
    MailPart::Link { label: label.into(), url }
}

/// A link to the page where a user who fears for the account chooses a new password.
pub(super) fn new_password(front_end: &FrontEnd<'_>) -> MailPart {
    link("Choose a new password", front_end.page("/forgot-password"))
}
