//! Display names.

use super::parts::composed;
use auth_types::invisible::trimmed_words;
use auth_types::validation;
use unicode_normalization::char::is_combining_mark;

/// Validates a display name; `""` means none.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn display_name(input: &str) -> Result<String, String> {
    let name = composed(trimmed_words(input));
    if name.starts_with(is_combining_mark) {
        return Err("A name does not begin with an accent: put it behind its letter.".to_owned());
    }
    validation::display_name(&name).map(str::to_owned)
}
