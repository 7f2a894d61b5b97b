//! Usernames.

use super::direction::is_of_one_direction;
use super::former::former_username;
use super::parts::{Name, composed, is_too_long};
use auth_types::invisible::trimmed;
use auth_types::limits::USERNAME_MAX_LENGTH;
use auth_types::validation;
use precis_profiles::UsernameCasePreserved;
use precis_profiles::precis_core::profile::{PrecisFastInvocation, Rules};
use precis_profiles::precis_core::{DerivedPropertyValue, IdentifierClass, StringClass};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Maximum length of a name that PRECIS checks, in code points of NFC: that of a canonical form, where `İ` is written with two.
const PRECIS_MAX_LENGTH: usize = USERNAME_MAX_LENGTH * 2;

/// Validates a new username; `None` if the field contains nothing visible.
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
        "A username has letters of one direction, each in its usual form, digits and . _ - + only: no ligatures or others that stand for several letters, no other signs.",
    )?;
    validation::username(&shown)?;
    if has_lonely_mark(&shown) {
        return Err("In a username an accent follows the letter that it belongs to.".to_owned());
    }
    Ok(Some(Name { canonical: lower(&shown), shown }))
}

/// Whether a combining mark is at the beginning, or after a character that is neither a letter, a digit nor a mark.
fn has_lonely_mark(name: &str) -> bool {
    let before = std::iter::once(None).chain(name.chars().map(Some));
    let takes_marks = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    name.chars().zip(before).any(|(c, before)| is_combining_mark(c) && !before.is_some_and(takes_marks))
}

/// The canonical form of a username. If PRECIS does not allow it, the form of earlier releases is used.
pub fn canonical_username(name: &str) -> String {
    let typed = trimmed(name);
    let allowed = if is_too_long(typed) { None } else { precis(typed) };
    allowed.map_or_else(|| former_username(typed), |shown| lower(&shown))
}

/// Enforces `UsernameCasePreserved`: full width becomes plain, letters are composed, and characters that can be mistaken for
/// others are refused. Its rules are applied one by one, because the crate's rule for the direction refuses too much.
pub(super) fn precis(name: &str) -> Option<String> {
    let profile = UsernameCasePreserved::new();
    let narrow = profile.width_mapping_rule(name).ok()?;
    // The rules for digits and for the middle dot read all of the name for each of them.
    if narrow.nfc().nth(PRECIS_MAX_LENGTH).is_some() {
        return None;
    }
    let checked: String = narrow.chars().map(precis_equivalent).collect();
    UsernameCasePreserved::prepare(checked).ok()?;
    let composed = profile.normalization_rule(narrow).ok()?;
    is_of_one_direction(&composed).then(|| composed.into())
}

/// The character that PRECIS checks in place of `c`. ASCII letters are lowered, because a rule for a sign may name its
/// neighbours, as for the middle dot in `l·l`. A letter that is newer than the crate's tables is checked as one that they know.
fn precis_equivalent(c: char) -> char {
    if is_newer_letter(c) { 'a' } else { c.to_ascii_lowercase() }
}

/// The crate's tables are those of Unicode 6.3, without small Cherokee, Adlam and Georgian capitals. Newer letters and marks are
/// allowed if they have no compatibility decomposition (RFC 8264, section 8: `LetterDigits`, without `HasCompat`).
fn is_newer_letter(c: char) -> bool {
    let is_letter = (c.is_alphabetic() && !c.is_numeric()) || is_combining_mark(c);
    let is_known = || IdentifierClass::default().get_value_from_char(c) != DerivedPropertyValue::Unassigned;
    !c.is_ascii() && is_letter && !is_known() && std::iter::once(c).nfkc().eq([c])
}

/// The case mapping of `UsernameCaseMapped`: Unicode's `toLowerCase`, which writes a sigma at the end of a word
/// differently.
fn lower(name: &str) -> String {
    name.to_lowercase().nfc().collect()
}
