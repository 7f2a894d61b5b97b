//! All kinds of mail that this program can send: Latchkey's own, and those that its features declare.

use super::feature_mail::DeclaredMail;
use crate::mails::{MailKind, QuotaShare};
use std::collections::BTreeMap;

/// What the name of a feature's mail has, and the kind of one of Latchkey's own has not.
pub(crate) const SEPARATOR: char = '.';

/// The kinds of mail that this program can send.
#[derive(Debug, Clone)]
pub struct MailRegistry {
    of_features: BTreeMap<&'static str, DeclaredMail>,
    kinds: Vec<&'static str>,
}

impl Default for MailRegistry {
    /// Latchkey's own.
    fn default() -> Self {
        Self::of([])
    }
}

impl MailRegistry {
    /// Latchkey's own, and those of features.
    pub(crate) fn of(of_features: impl IntoIterator<Item = DeclaredMail>) -> Self {
        let of_features: BTreeMap<_, _> = of_features.into_iter().map(|mail| (mail.name, mail)).collect();
        let own = MailKind::ALL.iter().copied().map(MailKind::as_str);
        Self { kinds: own.chain(of_features.keys().copied()).collect(), of_features }
    }

    /// As they are stored. Others in the outbox are of a newer release, or of a feature that this program does not have: they are left
    /// to a program that can send them, until they expire.
    pub fn kinds(&self) -> &[&'static str] {
        &self.kinds
    }

    /// A feature's mail by its name.
    pub(super) fn find(&self, name: &str) -> Option<&DeclaredMail> {
        self.of_features.get(name)
    }

    /// The share of a kind. One that is unknown counts as a feature's if it is named like one, else as a notice about an account.
    pub(super) fn share_of(&self, kind: &str) -> QuotaShare {
        let own = MailKind::of(kind).map(|kind| kind.mail().share);
        let declared = own.or_else(|| self.find(kind).map(|mail| mail.share));
        let is_named_as_a_features = kind.contains(SEPARATOR);
        declared.unwrap_or(if is_named_as_a_features { QuotaShare::Feature } else { QuotaShare::Account })
    }
}
