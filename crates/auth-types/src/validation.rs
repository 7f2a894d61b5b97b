//! Rules that a form can check before it sends and that the server checks again.
//!
//! Each function returns the trimmed or unchanged value, or one sentence that says what to do. In names, invisible characters
//! are trimmed at the ends, like blanks, and refused inside.

use crate::invisible::{find_meaningless, is_invisible, is_unreadable, trimmed, trimmed_words};
use crate::limits::{
    DISPLAY_NAME_MAX_LENGTH, EMAIL_MAX_LENGTH, PASSWORD_MAX_LENGTH, USERNAME_MAX_LENGTH, USERNAME_MIN_LENGTH,
};
use crate::responses::PasswordRules;

/// The error of an empty field; Django REST framework's text.
pub const REQUIRED: &str = "This field is required.";

/// Checks the form of an email address: something, `@`, a domain with a dot; trimmed.
///
/// Only a mail shows whether mail arrives there, so this refuses only text that is certainly not an address.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn email(input: &str) -> Result<&str, String> {
    let trimmed = trimmed(input);
    if trimmed.is_empty() {
        return Err(REQUIRED.to_owned());
    }
    if trimmed.chars().any(is_invisible) {
        return Err("The address has an invisible character in it. Type it instead of pasting it.".to_owned());
    }
    if trimmed.chars().any(is_unreadable) {
        return Err(
            "The address has a character in it that others cannot read. Type it instead of pasting it.".to_owned()
        );
    }
    if trimmed.len() > EMAIL_MAX_LENGTH {
        return Err(format!("An email address has at most {EMAIL_MAX_LENGTH} characters."));
    }
    let wrong = || "Enter an email address such as name@example.com.".to_owned();
    let (local, domain) = trimmed.rsplit_once('@').ok_or_else(wrong)?;
    let local_fits = !local.is_empty() && local.len() <= 64 && local.chars().all(is_local_char) && dots_fit(local);
    let domain_fits = domain.chars().all(is_domain_char) && dots_fit(domain) && domain.contains('.');
    if local_fits && domain_fits { Ok(trimmed) } else { Err(wrong()) }
}

/// RFC 5321's dot-string, with the letters of all scripts (RFC 6531); quoted local parts are not accepted.
fn is_local_char(c: char) -> bool {
    c.is_alphanumeric()
        || ".!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
}

fn is_domain_char(c: char) -> bool {
    c.is_alphanumeric() || c == '.' || c == '-' || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
}

fn dots_fit(part: &str) -> bool {
    !part.starts_with('.') && !part.ends_with('.') && !part.contains("..")
}

/// Checks a username: 2 to 150 letters, digits and `.`, `_`, `-`, `+`; trimmed. Only the server knows which signs of other
/// scripts belong to letters (PRECIS).
///
/// `@` is not allowed, so that a username never looks like an email address.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn username(input: &str) -> Result<&str, String> {
    let trimmed = trimmed(input);
    let length = trimmed.chars().count();
    if !(USERNAME_MIN_LENGTH..=USERNAME_MAX_LENGTH).contains(&length) {
        return Err(format!("A username has {USERNAME_MIN_LENGTH} to {USERNAME_MAX_LENGTH} characters."));
    }
    if trimmed.chars().any(is_invisible) {
        Err("The username has an invisible character in it. Type it instead of pasting it.".to_owned())
    } else if trimmed.chars().all(is_username_char) {
        Ok(trimmed)
    } else {
        Err("A username has letters, digits and the characters . _ - + only.".to_owned())
    }
}

fn is_username_char(c: char) -> bool {
    let may_belong_to_a_letter = !c.is_ascii() && !c.is_whitespace() && !c.is_control() && !is_unreadable(c);
    c.is_alphanumeric() || "._-+".contains(c) || may_belong_to_a_letter
}

/// Checks a display name: at most 100 characters, none of them a control character or a meaningless invisible one; trimmed, may
/// be empty.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn display_name(input: &str) -> Result<&str, String> {
    let trimmed = trimmed_words(input);
    if trimmed.chars().count() > DISPLAY_NAME_MAX_LENGTH {
        return Err(format!("A name has at most {DISPLAY_NAME_MAX_LENGTH} characters."));
    }
    if trimmed.chars().any(char::is_control) {
        return Err("A name has no line breaks or control characters.".to_owned());
    }
    if find_meaningless(trimmed).is_some() {
        return Err("The name has an invisible character in it. Type it instead of pasting it.".to_owned());
    }
    if trimmed.chars().any(is_unreadable) {
        return Err("The name has a character in it that others cannot read. Leave it out.".to_owned());
    }
    Ok(trimmed)
}

/// Checks the length of a new password, which is counted in code points and never trimmed or changed.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn new_password(input: &str, rules: PasswordRules) -> Result<&str, String> {
    let length = input.chars().count();
    if length == 0 {
        Err(REQUIRED.to_owned())
    } else if length < rules.min_length {
        Err(format!("Use at least {} characters.", rules.min_length))
    } else if length > rules.max_length {
        Err(format!("Use at most {} characters.", rules.max_length))
    } else {
        Ok(input)
    }
}

/// Checks a password for a sign-in: any text that could be a password.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn given_password(input: &str) -> Result<&str, String> {
    if input.is_empty() {
        Err(REQUIRED.to_owned())
    } else if input.chars().count() > PASSWORD_MAX_LENGTH {
        Err(format!("A password has at most {PASSWORD_MAX_LENGTH} characters."))
    } else {
        Ok(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PASSWORD_MIN_LENGTH;

    const RULES: PasswordRules = PasswordRules { min_length: PASSWORD_MIN_LENGTH, max_length: PASSWORD_MAX_LENGTH };

    #[test]
    fn addresses_people_have_are_accepted_and_trimmed() {
        for address in ["ada@example.com", "a.b+c@sub.example.co", "münze@exämple.de", "o'neil@example.ie"] {
            assert_eq!(email(&format!("  {address}\t")), Ok(address));
        }
    }

    #[test]
    fn text_that_is_not_an_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(EMAIL_MAX_LENGTH));
        for input in [
            "",
            " ",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "a b@example.com",
            "ada@exa mple.com",
            "ada@.com",
            ".ada@example.com",
            "a..b@example.com",
            "ada@example.com\r\nBcc: x@y.z",
            "<ada@example.com>",
            "a@b@c.d",
            "a\0@b.c",
            &long,
        ] {
            assert!(email(input).is_err(), "{input:?} was accepted");
        }
    }

    #[test]
    fn a_username_never_looks_like_an_address() {
        assert_eq!(username(" ada.l_-+9 "), Ok("ada.l_-+9"));
        for input in ["", "a", "ada@example.com", "a b", "a\0b", &"a".repeat(USERNAME_MAX_LENGTH + 1)] {
            assert!(username(input).is_err(), "{input:?} was accepted");
        }
    }

    #[test]
    fn a_display_name_is_one_line() {
        assert_eq!(display_name("  Ada Lovelace "), Ok("Ada Lovelace"));
        assert_eq!(display_name(""), Ok(""));
        assert!(display_name("a\nb").is_err());
        assert!(display_name(&"x".repeat(DISPLAY_NAME_MAX_LENGTH + 1)).is_err());
    }

    /// A zero-width space, a byte-order mark, a word joiner, a soft hyphen, a right-to-left override, a Hangul filler.
    const UNSEEN: [char; 6] = ['\u{200b}', '\u{feff}', '\u{2060}', '\u{ad}', '\u{202e}', '\u{3164}'];

    #[test]
    fn invisible_characters_are_trimmed_at_the_ends_and_refused_inside() {
        for c in UNSEEN {
            assert_eq!(email(&format!("{c} ada@example.com{c}")), Ok("ada@example.com"), "{c:?}");
            assert_eq!(username(&format!("{c}ada{c}\n")), Ok("ada"), "{c:?}");
            assert_eq!(display_name(&format!("{c}Ada Lovelace {c}")), Ok("Ada Lovelace"), "{c:?}");
            for inside in [format!("a{c}da@example.com"), format!("ada@exam{c}ple.com"), format!("ada{c}@example.com")]
            {
                assert!(email(&inside).is_err_and(|error| error.contains("invisible")), "{inside:?}");
            }
            assert!(username(&format!("a{c}da")).is_err_and(|error| error.contains("invisible")), "{c:?}");
            assert!(display_name(&format!("Ada{c}Lovelace")).is_err_and(|error| error.contains("invisible")), "{c:?}");
        }
        assert_eq!(display_name("\u{200b}"), Ok(""));
    }

    /// Private-use characters, and Unicode's noncharacters.
    #[test]
    fn private_use_characters_and_noncharacters_are_refused() {
        for c in ['\u{e000}', '\u{f8ff}', '\u{100000}', '\u{fdd0}', '\u{fffe}', '\u{1ffff}'] {
            assert!(email(&format!("a{c}da@example.com")).is_err(), "{c:?}");
            assert!(username(&format!("a{c}da")).is_err(), "{c:?}");
            assert!(display_name(&format!("Ada{c}")).is_err(), "{c:?}");
        }
        for name in ["हिन्दी", "ก้าน", "l·l"] {
            assert_eq!(username(name), Ok(name), "the server decides");
        }
    }

    #[test]
    fn password_length_counts_code_points_and_keeps_blanks() {
        assert_eq!(new_password("  länger ", RULES), Ok("  länger "));
        assert!(new_password("1234567", RULES).is_err());
        assert!(new_password(&"🦀".repeat(8), RULES).is_ok());
        assert!(new_password(&"🦀".repeat(PASSWORD_MAX_LENGTH), RULES).is_ok());
        assert!(new_password(&"x".repeat(PASSWORD_MAX_LENGTH + 1), RULES).is_err());
        assert!(given_password("").is_err());
        assert!(given_password(&"x".repeat(PASSWORD_MAX_LENGTH + 1)).is_err());
    }
}
