//! Whether a new password is good enough (NIST SP 800-63B, section 5.1.1.2).

use super::hashing::hash;
use auth_types::responses::PasswordRules;
use auth_types::validation;

/// zxcvbn's scale goes from 0 to 4; 2 means more than a million guesses.
const MIN_SCORE: zxcvbn::Score = zxcvbn::Score::Two;
/// zxcvbn's time grows faster than the length: characters after this are not checked, and make no password weaker.
const CHECKED_CHARACTERS: usize = 32;
/// The product's own words, which an attacker of this service guesses first.
const PRODUCT_WORDS: [&str; 1] = ["latchkey"];

/// Context-specific words: the parts of the user's names, which a password must not be or be
/// made of. [`check_strength`] adds the product's.
#[derive(Debug, Clone)]
pub struct ContextWords([String; 4]);

impl ContextWords {
    pub fn of(email: &str, username: Option<&str>, display_name: &str) -> Self {
        let local = email.split('@').next().unwrap_or_default();
        Self([email, local, username.unwrap_or_default(), display_name].map(str::to_owned))
    }
}

/// Checks a new password's strength, and encodes it if it is strong enough. Only in the hashing pool.
///
/// # Errors
/// As [`hash`]; the inner error is that of [`check_strength`].
pub fn check_and_hash(
    password: &str,
    context_words: &ContextWords,
    cost: u32,
) -> Result<Result<String, String>, bcrypt::BcryptError> {
    match check_strength(password, context_words) {
        Ok(()) => hash(password, cost).map(Ok),
        Err(message) => Ok(Err(message)),
    }
}

/// Checks what needs no work: a new password's length, and that it is not its owner's name.
///
/// # Errors
/// One sentence that says what to do.
pub fn check_form(password: &str, rules: PasswordRules, context_words: &ContextWords) -> Result<(), String> {
    validation::new_password(password, rules)?;
    let is_password = |word: &String| word.chars().count() >= 3 && password.eq_ignore_ascii_case(word);
    if context_words.0.iter().any(is_password) {
        return Err("Do not use your own name or address as the password.".to_owned());
    }
    Ok(())
}

/// Checks whether a new password of the right form is common, or made of context-specific words. Takes
/// milliseconds, so it runs only in the hashing pool.
///
/// # Errors
/// One sentence that says what to do.
pub fn check_strength(password: &str, context_words: &ContextWords) -> Result<(), String> {
    log::trace!("passwords.zxcvbn: rated");
    let checked: String = password.chars().take(CHECKED_CHARACTERS).collect();
    let words: Vec<_> = context_words.0.iter().map(String::as_str).chain(PRODUCT_WORDS).collect();
    let estimate = zxcvbn::zxcvbn(&checked, &words);
    if estimate.score() >= MIN_SCORE {
        return Ok(());
    }
    let advice = estimate.feedback().and_then(|feedback| feedback.suggestions().first().map(ToString::to_string));
    let advice = advice.unwrap_or_else(|| "Add another word or two.".to_owned());
    Err(format!("This password is too easy to guess. {advice}"))
}
