//! The canonical form of names: two names that are the same to a person are the same to the database.
//!
//! Made here and never by SQL's `lower`, which differs between databases and locales.

use auth_types::limits::{EMAIL_MAX_LENGTH, USERNAME_MAX_LENGTH};
use unicode_normalization::UnicodeNormalization;

/// A username in any of its forms: no letter is written with more than eight code points of four bytes.
const USERNAME_MAX_BYTES: usize = USERNAME_MAX_LENGTH * 32;
/// A username's canonical form: no letter becomes more than 18 (U+FDFA). A name that has room for more of them than a
/// username has letters would cost milliseconds.
const CANONICAL_MAX_LENGTH: usize = USERNAME_MAX_LENGTH * 18;

/// The canonical form of an address: NFC and lower case before the `@`, IDNA after it.
///
/// # Errors
/// One sentence for the person who typed it, when the domain is none.
pub fn canonical_email(address: &str) -> Result<String, String> {
    let (local, domain) = mailable_parts(address)?;
    let local: String = local.nfc().collect::<String>().to_lowercase();
    Ok(format!("{local}@{domain}"))
}

/// The address as mail servers take it: IDNA after the `@`, untouched before it.
///
/// # Errors
/// As [`canonical_email`].
pub fn mailable_email(address: &str) -> Result<String, String> {
    mailable_parts(address).map(|(local, domain)| format!("{local}@{domain}"))
}

fn mailable_parts(address: &str) -> Result<(&str, String), String> {
    let wrong = || "Enter an email address such as name@example.com.".to_owned();
    // Before anything is normalised. A canonical address comes through here, too, and is up to four times as long.
    let address = Some(address.trim()).filter(|address| address.len() <= 4 * EMAIL_MAX_LENGTH).ok_or_else(wrong)?;
    let (local, domain) = address.rsplit_once('@').ok_or_else(wrong)?;
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| wrong())?;
    Ok((local, domain))
}

/// Checks an address that somebody typed, and gives it trimmed with its canonical form.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn check_email(input: &str) -> Result<(&str, String), String> {
    let email = auth_types::validation::email(input)?;
    Ok((email, canonical_email(email)?))
}

/// The same name with letters that some keyboards send in two parts, `e` and its accent, put together (NFC): what is
/// shown and what the rules look at.
#[must_use]
pub fn composed(name: &str) -> String {
    if is_too_long(name) { name.to_owned() } else { name.nfc().collect() }
}

/// Longer than any name can become by being composed: the rules refuse it as it is.
fn is_too_long(name: &str) -> bool {
    name.len() > USERNAME_MAX_BYTES
}

/// The canonical form of a username: NFKC and lower case, applied until nothing changes any more. Blanks go last, because
/// some letters become one.
#[must_use]
pub fn canonical_username(name: &str) -> String {
    if is_too_long(name) || name.nfkc().nth(CANONICAL_MAX_LENGTH).is_some() {
        return name.trim().to_owned();
    }
    let fold = |text: &str| text.nfkc().collect::<String>().to_lowercase().nfkc().collect::<String>();
    fold(&fold(name)).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{canonical_email, canonical_username};
    use proptest::prelude::*;

    #[test]
    fn domains_are_compared_as_they_are_looked_up() {
        assert_eq!(canonical_email(" Ada@EXÄMPLE.de "), Ok("ada@xn--exmple-cua.de".to_owned()));
        assert_eq!(canonical_email("ada@xn--exmple-cua.de"), Ok("ada@xn--exmple-cua.de".to_owned()));
        for wrong in ["ada", "ada@", "ada@exa_mple.com", "ada@-example.com", "ada@xn--a.com", "ada@a..com"] {
            assert!(canonical_email(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn letters_that_a_person_cannot_tell_apart_are_one_name() {
        for (one, other) in [("Ａｄａ", "ada"), ("ſ9", "s9"), ("\u{212a}im", "kim"), ("ﬁn", "fin"), ("É", "e\u{301}")]
        {
            assert_eq!(canonical_username(one), canonical_username(other), "{one:?} {other:?}");
        }
        assert_ne!(canonical_username("ada"), canonical_username("аda"), "a Cyrillic letter is another one");
        // Arabic presentation forms hold a blank.
        let folded = canonical_username("\u{fe72}p");
        assert_eq!(canonical_username(&folded), folded);
    }

    #[test]
    fn a_name_that_nobody_can_have_is_left_as_it_is() {
        let longest = "\u{fdfa}".repeat(150);
        assert_ne!(canonical_username(&longest), longest, "a username can be this");
        for long in ["\u{fdfa}".repeat(151), "a".repeat(4_801), "A".repeat(2_701)] {
            assert_eq!(canonical_username(&long), long);
        }
    }

    proptest! {
        /// What is canonical stays so: otherwise a name would not find itself.
        #[test]
        fn a_canonical_name_is_its_own(name in "\\PC{0,20}") {
            if let Ok(username) = auth_types::validation::username(&name) {
                let once = canonical_username(username);
                prop_assert_eq!(canonical_username(&once), once.clone());
            }
            if let Ok(email) = canonical_email(&format!("{name}@example.com")) {
                prop_assert_eq!(canonical_email(&email), Ok(email.clone()));
            }
        }

        #[test]
        fn case_never_makes_two_users(name in "[a-zäöüéçñа-яα-ρτ-ω0-9._+-]{1,20}") {
            prop_assert_eq!(canonical_username(&name.to_uppercase()), canonical_username(&name));
        }
    }
}
