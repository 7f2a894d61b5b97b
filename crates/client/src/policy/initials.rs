//! The letters that are shown in place of a picture.

/// The first letters of the first and the last word of a name, or of the address where there is no name.
pub fn initials(name: &str, email: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().or_else(|| email.split('@').next());
    let letter = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let letters = first.into_iter().chain(words.next_back()).filter_map(letter);
    letters.flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn a_name_gives_two_letters_at_most() {
        for (name, letters) in [
            ("Ada Lovelace", "AL"),
            ("  ada  king  lovelace ", "AL"),
            ("Ada", "A"),
            ("élodie (dupont)", "ÉD"),
            ("", "X"),
            ("…", ""),
        ] {
            assert_eq!(initials(name, "x@example.com"), letters, "{name}");
        }
        assert_eq!(initials("", ""), "");
    }
}
