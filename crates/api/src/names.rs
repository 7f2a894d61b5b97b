//! Names: what is stored of them, and the canonical form by which two names that are the same to a person are the same to
//! the database.
//!
//! Made here and never by SQL's `lower`, which differs between databases and locales. An address is mailed in NFC; a
//! username follows the profile `UsernameCaseMapped` of PRECIS (RFC 8265).

mod folding;
mod former;
mod spellings;

pub use former::{Folded, fold};
pub use spellings::Spellings;

use auth_types::invisible::trimmed;
use auth_types::limits::{EMAIL_MAX_LENGTH, USERNAME_MAX_LENGTH};
use auth_types::validation;
use folding::{folded, is_disguised};
use former::former_username;
use precis_profiles::UsernameCasePreserved;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A username in any of its forms: no letter is written with more than eight code points of four bytes.
const USERNAME_MAX_BYTES: usize = USERNAME_MAX_LENGTH * 32;

/// A name that may be stored: as it is shown or mailed, and its canonical form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    pub shown: String,
    pub canonical: String,
}

/// Checks an address that somebody wants to have.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn new_email(input: &str) -> Result<Name, String> {
    let name = typed_email(input)?;
    let (local, _) = trimmed(input).rsplit_once('@').unwrap_or_default();
    if let Some(letter) = local.chars().find(|c| is_disguised(*c)) {
        let plain: String = std::iter::once(letter).nfkc().collect();
        return Err(format!("The address has {letter} in it, which looks like {plain}. Type it with plain letters."));
    }
    if local.starts_with(is_combining_mark) {
        return Err("The address begins with an accent. Type it instead of pasting it.".to_owned());
    }
    Ok(name)
}

/// Checks an address that somebody says to have.
///
/// # Errors
/// As [`new_email`].
pub fn typed_email(input: &str) -> Result<Name, String> {
    let shown = composed(trimmed(input));
    let shown = validation::email(&shown)?;
    Ok(Name { canonical: canonical_email(shown)?, shown: shown.to_owned() })
}

/// The canonical form of an address: without regard to case before the `@`, IDNA after it.
///
/// # Errors
/// One sentence for the person who typed it, when the domain is none.
pub fn canonical_email(address: &str) -> Result<String, String> {
    let (local, domain) = mailable_parts(trimmed(address))?;
    Ok(format!("{}@{domain}", folded(&local)))
}

/// Whether both addresses lead to the same mailbox for certain: they differ in capitals only. Whoever reads mail at one of
/// them reads it at the other, so a warning that one has become the other would be a false alarm.
#[must_use]
pub fn is_same_mailbox(one: &str, other: &str) -> bool {
    let mailbox = |address: &str| former::former_email(address).ok();
    mailbox(one).is_some_and(|address| mailbox(other) == Some(address))
}

/// What the mails to an address are counted by: the mailbox that a mail server would take it for.
#[must_use]
pub fn counted_email(address: &str) -> String {
    let parts = mailable_parts(address.trim());
    parts.map_or_else(|_| address.to_owned(), |(local, domain)| format!("{}@{domain}", folded(&local)))
}

/// The address as mail servers take it: NFC before the `@`, IDNA after it.
///
/// # Errors
/// As [`canonical_email`].
pub fn mailable_email(address: &str) -> Result<String, String> {
    mailable_parts(address.trim()).map(|(local, domain)| format!("{local}@{domain}"))
}

fn mailable_parts(address: &str) -> Result<(String, String), String> {
    let wrong = || "Enter an email address such as name@example.com.".to_owned();
    // Before anything is normalised. A canonical address comes through here, too, and is up to four times as long.
    let address = Some(address).filter(|address| address.len() <= 4 * EMAIL_MAX_LENGTH).ok_or_else(wrong)?;
    let (local, domain) = address.rsplit_once('@').ok_or_else(wrong)?;
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| wrong())?;
    Ok((local.nfc().collect(), domain))
}

/// The same name with letters that some keyboards send in two parts, `e` and its accent, put together (NFC).
fn composed(name: &str) -> String {
    if is_too_long(name) { name.to_owned() } else { name.nfc().collect() }
}

/// Longer than any name can become by being composed: the rules refuse it as it is.
fn is_too_long(name: &str) -> bool {
    name.len() > USERNAME_MAX_BYTES
}

/// Checks a name that people are shown; `""` is none.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn display_name(input: &str) -> Result<String, String> {
    let name = composed(trimmed(input));
    if name.starts_with(is_combining_mark) {
        return Err("A name does not begin with an accent: put it behind its letter.".to_owned());
    }
    validation::display_name(&name).map(str::to_owned)
}

/// Checks a username that somebody wants to have; `None` where the field has nothing that can be seen.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn new_username(input: &str) -> Result<Option<Name>, String> {
    let typed = trimmed(input);
    if typed.is_empty() {
        return Ok(None);
    }
    validation::username(&composed(typed))?;
    let shown = precis(typed).ok_or(
        "A username has letters of one direction, each in its usual form, digits and . _ - + only: no ligatures, no other signs.",
    )?;
    validation::username(&shown)?;
    if has_lonely_mark(&shown) {
        return Err("In a username an accent follows the letter that it belongs to.".to_owned());
    }
    Ok(Some(Name { canonical: lower(&shown), shown }))
}

/// Whether a combining mark stands at the beginning, or behind a character that is neither a letter, a digit nor a mark.
fn has_lonely_mark(name: &str) -> bool {
    let before = std::iter::once(None).chain(name.chars().map(Some));
    let takes_marks = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    name.chars().zip(before).any(|(c, before)| is_combining_mark(c) && !before.is_some_and(takes_marks))
}

/// The canonical form of a username. One that PRECIS does not know is looked for as it was stored before.
#[must_use]
pub fn canonical_username(name: &str) -> String {
    let typed = trimmed(name);
    let allowed = if is_too_long(typed) { None } else { precis(typed) };
    allowed.map_or_else(|| former_username(typed), |shown| lower(&shown))
}

/// `UsernameCasePreserved`: full width becomes plain, letters are composed, and what can be mistaken for something else is
/// refused.
fn precis(name: &str) -> Option<String> {
    UsernameCasePreserved::enforce(name).ok().map(Into::into)
}

/// The case mapping of `UsernameCaseMapped`: Unicode's `toLowerCase`, which knows that a sigma at the end of a word is
/// another letter than inside.
fn lower(name: &str) -> String {
    name.to_lowercase().nfc().collect()
}

#[cfg(test)]
mod tests;
