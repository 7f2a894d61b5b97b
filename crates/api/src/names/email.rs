//! Email addresses.

use super::case_folding::{case_folded, is_disguised};
use super::former::former_email;
use super::parts::{Name, composed, mailable_parts};
use auth_types::invisible::trimmed;
use auth_types::validation;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Validates a new address for an account.
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
    // No top-level domain is a number (RFC 3696, section 2): such a domain is an IP address or a typing error.
    if name.canonical.rsplit_once('.').is_some_and(|(_, top)| top.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err("Enter an email address such as name@example.com.".to_owned());
    }
    Ok(name)
}

/// Validates an address that an account may already have.
pub fn typed_email(input: &str) -> Result<Name, String> {
    let shown = composed(trimmed(input));
    let shown = validation::email(&shown)?;
    Ok(Name { canonical: canonical_email(shown)?, shown: shown.to_owned() })
}

/// The canonical form of an address: case-folded before the `@`, IDNA after it.
///
/// # Errors
/// One sentence for the person who typed it, if the domain is not valid.
pub fn canonical_email(address: &str) -> Result<String, String> {
    let (local, domain) = mailable_parts(trimmed(address))?;
    Ok(format!("{}@{domain}", case_folded(&local)))
}

/// Whether both addresses certainly belong to the same mailbox, because they differ in case only. A warning to the one about a
/// change to the other would be a false alarm.
pub fn is_same_mailbox(one: &str, other: &str) -> bool {
    let mailbox = |address: &str| former_email(address).ok();
    mailbox(one).is_some_and(|address| mailbox(other) == Some(address))
}

/// The form that the mails to an address are counted by: the mailbox to which a mail server would deliver.
pub fn counted_email(address: &str) -> String {
    let parts = mailable_parts(address.trim());
    parts.map_or_else(|_| address.to_owned(), |(local, domain)| format!("{}@{domain}", case_folded(&local)))
}

/// The address as mail servers accept it: NFC before the `@`, IDNA after it.
pub fn mailable_email(address: &str) -> Result<String, String> {
    mailable_parts(address.trim()).map(|(local, domain)| format!("{local}@{domain}"))
}
