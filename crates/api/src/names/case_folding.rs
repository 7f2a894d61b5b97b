//! Case folding of addresses: which letters are equal.
//!
//! `to_lowercase` is not enough. It writes a sigma according to its position in the word, and a letter without a capital of its
//! own does not map back: `ǰ` is `J̌` in capitals, and that is `j` and a caron in small letters.

use unicode_normalization::UnicodeNormalization;

/// The local part of an address as it is compared: Unicode's full case folding (section 3.13, D145), in NFC. Mail servers
/// compare by it, too (Postfix, `casefold`), so `ß` and `ss` are one.
pub(super) fn case_folded(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    // When decomposed, an iota subscript comes after all other marks: in capitals it is a letter, and would take the marks.
    let mut folded: String = local.nfd().collect();
    loop {
        let next: String = folded.chars().flat_map(folded_letter).nfc().collect();
        if next == folded {
            return folded;
        }
        folded = next;
    }
}

/// Folds through the capitals: letters with the same capital, such as the three sigmas, are equal.
fn folded_letter(c: char) -> Vec<char> {
    match c {
        // Its capital is I, but it is a different letter from i.
        'ı' => vec![c],
        _ if is_living(c) => std::iter::once(c).nfkc().collect(),
        _ => {
            let capitals = c.to_lowercase().flat_map(char::to_uppercase);
            capitals.flat_map(char::to_lowercase).collect()
        }
    }
}

/// Whether a letter may look like others in a way that NFKC knows. In a new address it could not be distinguished from them: the
/// kelvin sign, the micro sign, full and half width, a ligature, a long s.
pub(super) fn is_disguised(c: char) -> bool {
    if c.is_ascii() || is_living(c) {
        return false;
    }
    let compatible = || std::iter::once(c).nfkc();
    compatible().all(|c| c.is_ascii()) || compatible().ne(std::iter::once(c).nfc())
}

/// Letters in everyday use, although NFKC decomposes them: Thai and Lao `am`, two of Lao, one of Armenian.
const fn is_living(c: char) -> bool {
    matches!(c, '\u{e33}' | '\u{eb3}' | '\u{edc}' | '\u{edd}' | '\u{587}')
}

#[cfg(test)]
mod tests {
    use super::{case_folded, is_disguised};
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::is_combining_mark;

    fn composed(text: &str) -> String {
        text.nfc().collect()
    }

    /// The letter alone, between letters, before and after combining marks; none if neither case nor normalisation changes it.
    fn texts_with(c: char) -> Vec<String> {
        let has_case = !c.to_uppercase().eq([c]) || !c.to_lowercase().eq([c]);
        if !has_case && !is_combining_mark(c) && std::iter::once(c).nfkd().eq([c]) {
            return Vec::new();
        }
        vec![
            c.to_string(),
            format!("a{c}b"),
            format!("{c}.A"),
            format!("a.{c}"),
            format!("{c}\u{30c}"),
            format!("{c}\u{331}\u{301}x"),
            format!("a\u{345}{c}"),
            format!("J{c}\u{308}"),
        ]
    }

    fn texts() -> impl Iterator<Item = String> {
        // Nothing above has capitals or is decomposed.
        ('\u{1}'..='\u{2fa1d}').filter(|c| *c != 'ı').flat_map(texts_with)
    }

    #[test]
    fn a_folded_address_stays_as_it_is() {
        for text in texts().chain(texts_with('ı')) {
            let once = case_folded(&text);
            assert_eq!(case_folded(&once), once, "{text:?}");
            assert_eq!(composed(&once), once, "{text:?}");
            assert_eq!(case_folded(&composed(&text)), once, "{text:?}");
        }
    }

    #[test]
    fn folding_ignores_case() {
        for text in texts() {
            let apart: String = text.nfd().collect();
            let once = case_folded(&text);
            assert_eq!(case_folded(&apart.to_uppercase()), once, "{text:?}");
            assert_eq!(case_folded(&apart.to_lowercase()), once, "{text:?}");
            let composed = composed(&text);
            if !apart.contains('\u{345}') {
                assert_eq!(case_folded(&composed.to_uppercase()), once, "{text:?}");
                assert_eq!(case_folded(&composed.to_lowercase()), once, "{text:?}");
                assert_eq!(case_folded(&composed.to_uppercase().to_lowercase()), once, "{text:?}");
            }
        }
        assert_ne!(case_folded("ı"), case_folded("i"));
    }

    #[test]
    fn letters_that_look_like_others_are_disguised() {
        for c in ['\u{212a}', 'µ', 'ｱ', 'ﬁ', 'ſ', 'ª', '²', 'ﷺ', 'ㄱ', 'ẚ', '\u{1d400}'] {
            assert!(is_disguised(c), "{c:?}");
        }
        for c in ['a', 'é', 'ß', 'ς', 'ア', 'ガ', '한', 'я', 'ı', 'ำ', 'և', 'ि', '\u{212b}', '漢'] {
            assert!(!is_disguised(c), "{c:?}");
        }
    }
}
