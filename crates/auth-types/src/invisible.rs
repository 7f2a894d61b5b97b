//! Invisible characters. In a name they make two names look alike, or reverse the text next to them.

use crate::joining::{is_virama, joins_next, joins_previous};
use crate::ranges::is_in;

/// Ranges of code points, in order: `Default_Ignorable_Code_Point`, `General_Category=Format` (the bidirectional controls
/// among them) of Unicode 16, the line and paragraph separators, and letters, notes and placeholders that have no glyph: U+2800
/// of braille, U+FFFC, U+13441 and U+13442 of Egyptian, U+16FE4 of Khitan, U+1D159 of music.
const RANGES: [(u32, u32); 29] = [
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x0600, 0x0605),
    (0x061c, 0x061c),
    (0x06dd, 0x06dd),
    (0x070f, 0x070f),
    (0x0890, 0x0891),
    (0x08e2, 0x08e2),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffc),
    (0x0001_10bd, 0x0001_10bd),
    (0x0001_10cd, 0x0001_10cd),
    (0x0001_3430, 0x0001_343f),
    (0x0001_3441, 0x0001_3442),
    (0x0001_6fe4, 0x0001_6fe4),
    (0x0001_bca0, 0x0001_bca3),
    (0x0001_d159, 0x0001_d159),
    (0x0001_d173, 0x0001_d17a),
    (0x000e_0000, 0x000e_0fff),
];

/// Whether this character has no glyph, or only changes the direction of others.
pub fn is_invisible(c: char) -> bool {
    is_in(&RANGES, c)
}

/// Whether a character has no common meaning: a private-use character, whose glyph depends on the font, or a noncharacter of
/// Unicode. Unassigned characters are not among them: a later Unicode may make one a letter of a name.
pub fn is_unreadable(c: char) -> bool {
    let code = u32::from(c);
    matches!(code, 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff | 0xfdd0..=0xfdef) || code & 0xfffe == 0xfffe
}

/// `text` without the blanks and invisible characters at its ends, which pasting may add.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// The same for a text for people: an invisible character with a meaning at its ends stays, such as the selector that makes the
/// last symbol an emoji, or the joiner that changes the last letter.
pub fn trimmed_words(text: &str) -> &str {
    let mut kept = classify(text).filter(|character| character.is_meaningful && !character.c.is_whitespace());
    let Some(first) = kept.next() else { return "" };
    let last = kept.last().unwrap_or(first);
    &text[first.offset..last.offset + last.c.len_utf8()]
}

/// The byte offset of the first invisible character in a text for people that has no meaning at its position.
///
/// A joiner has a meaning between letters of scripts that use joiners, between emoji, and where it changes the letter next to
/// it. So has a selector that makes a symbol or a key an emoji, or chooses the form of an ideograph or of a letter.
pub fn find_meaningless(text: &str) -> Option<usize> {
    classify(text).find(|character| !character.is_meaningful).map(|character| character.offset)
}

/// A text for people without its meaningless invisible characters.
pub fn without_meaningless(text: &str) -> String {
    classify(text).filter(|character| character.is_meaningful).map(|character| character.c).collect()
}

/// A character of a text for people, and whether it may stay.
#[derive(Clone, Copy)]
struct ClassifiedChar {
    /// In bytes.
    offset: usize,
    c: char,
    /// Whether it is visible or has a meaning.
    is_meaningful: bool,
}

/// Classifies each character by the meaningful ones before it and by the next one, in one pass.
fn classify(text: &str) -> impl Iterator<Item = ClassifiedChar> {
    let mut before = Before::default();
    let mut tags = 0;
    let mut characters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (offset, c) = characters.next()?;
        if tags > 0 {
            tags -= 1;
            return Some(ClassifiedChar { offset, c, is_meaningful: true });
        }
        let after = characters.peek().map(|(_, c)| *c);
        let is_meaningful = !is_invisible(c) || before.gives_meaning_to(c, after);
        if is_meaningful {
            before.push(c);
        }
        if c == FLAG {
            tags = tags_of_flag(text[offset + c.len_utf8()..].chars());
        }
        Some(ClassifiedChar { offset, c, is_meaningful })
    })
}

/// The end of the text before a character.
#[derive(Clone, Copy, Default)]
struct Before {
    last: Option<char>,
    /// The last one without its selector: a selector changes the form of a letter, not what may follow it.
    letter: Option<char>,
}

impl Before {
    fn push(&mut self, c: char) {
        self.last = Some(c);
        if !is_selector(c) {
            self.letter = Some(c);
        }
    }

    fn gives_meaning_to(self, c: char, after: Option<char>) -> bool {
        let Self { last, letter } = self;
        match c {
            '\u{200c}' if letter.is_some_and(is_virama) => true,
            '\u{200d}'
                if letter.is_some_and(|c| is_virama(c) || joins_next(c)) || after.is_some_and(joins_previous) =>
            {
                true
            }
            '\u{200c}' | '\u{200d}' => letter.zip(after).is_some_and(|(letter, after)| {
                (is_of_joining_script(letter) && is_of_joining_script(after))
                    || (c == '\u{200d}' && is_pictograph(letter) && is_pictograph(after))
            }),
            '\u{180e}' => letter.is_some_and(is_mongolian) && after.is_some_and(is_mongolian),
            '\u{fe0f}' if last.is_some_and(is_of_key) => after == Some('\u{20e3}'),
            _ => last.is_some_and(|last| takes_selector(last, c)),
        }
    }
}

/// Whether `selector` chooses the form of `c`: exactly so where symbols and signs have variants, and in whole scripts, because
/// later releases of Unicode define variants of more of their letters (`StandardizedVariants.txt`).
const fn takes_selector(c: char, selector: char) -> bool {
    match selector {
        '\u{e0100}'..='\u{e01ef}' | '\u{fe02}' if is_ideograph(c) => true,
        '\u{180b}'..='\u{180d}' | '\u{180f}' => is_mongolian(c),
        '\u{fe0e}' | '\u{fe0f}' => is_pictograph(c),
        '\u{fe00}' => is_ideograph(c) || is_fullwidth_sign(c) || has_first_variant(c) || is_hieroglyph(c),
        '\u{fe01}' => is_ideograph(c) || is_fullwidth_sign(c) || is_hieroglyph(c),
        '\u{fe02}'..='\u{fe06}' => is_hieroglyph(c),
        _ => false,
    }
}

/// Zero, operators, chess pieces, and the letters of Myanmar, Phags-pa and Manichaean.
const fn has_first_variant(c: char) -> bool {
    matches!(
        c,
        '0' | '\u{ff10}'
            | '\u{2200}'..='\u{22ff}'
            | '\u{2a00}'..='\u{2aff}'
            | '\u{2654}'..='\u{265f}'
            | '\u{1000}'..='\u{109f}'
            | '\u{aa60}'..='\u{aa7f}'
            | '\u{a840}'..='\u{a877}'
            | '\u{10ac0}'..='\u{10aff}'
    )
}

/// Signs that are placed in the corner or in the middle of their square, and quotation marks of either width.
const fn is_fullwidth_sign(c: char) -> bool {
    matches!(
        c,
        '\u{2018}'
            | '\u{2019}'
            | '\u{201c}'
            | '\u{201d}'
            | '\u{3001}'
            | '\u{3002}'
            | '\u{ff01}'
            | '\u{ff0c}'
            | '\u{ff0e}'
            | '\u{ff1a}'
            | '\u{ff1b}'
            | '\u{ff1f}'
    )
}

/// Egyptian hieroglyphs, which selectors rotate.
const fn is_hieroglyph(c: char) -> bool {
    matches!(c, '\u{13000}'..='\u{1342f}' | '\u{13460}'..='\u{143ff}')
}

const fn is_of_key(c: char) -> bool {
    matches!(c, '0'..='9' | '#' | '*')
}

/// The scripts whose letters change form next to each other, or are joined by viramas, as ranges of their blocks, in order: in
/// these a joiner is visible (Unicode 16, sections 9.2 and 12.1).
const JOINING: [(u32, u32); 25] = [
    (0x0600, 0x077f),           // Arabic, Syriac
    (0x07c0, 0x07ff),           // N'Ko
    (0x0840, 0x0dff),           // Mandaic, Arabic, Devanagari to Sinhala
    (0x0e38, 0x0e3a),           // the virama of Thai, for Pali
    (0x0eb8, 0x0eba),           // that of Lao
    (0x0f00, 0x109f),           // Tibetan, Myanmar
    (0x1700, 0x18af),           // Tagalog to Mongolian
    (0x1a20, 0x1aaf),           // Tai Tham
    (0x1b00, 0x1bff),           // Balinese, Sundanese, Batak
    (0x1cd0, 0x1cff),           // Vedic
    (0x2d30, 0x2d7f),           // Tifinagh
    (0xa800, 0xa82f),           // Syloti Nagri
    (0xa840, 0xa8ff),           // Phags-pa, Saurashtra, Devanagari
    (0xa930, 0xa95f),           // Rejang
    (0xa980, 0xa9df),           // Javanese
    (0xaae0, 0xaaff),           // Meetei Mayek
    (0xabc0, 0xabff),           // Meetei Mayek
    (0x0001_0a00, 0x0001_0a5f), // Kharoshthi
    (0x0001_0ac0, 0x0001_0aff), // Manichaean
    (0x0001_0b80, 0x0001_0baf), // Psalter Pahlavi
    (0x0001_0d00, 0x0001_0d3f), // Hanifi Rohingya
    (0x0001_0ec0, 0x0001_16cf), // Arabic, Sogdian to Takri
    (0x0001_1700, 0x0001_1fff), // Ahom to Kawi
    (0x0001_6100, 0x0001_613f), // Gurung Khema
    (0x0001_e900, 0x0001_e95f), // Adlam
];

fn is_of_joining_script(c: char) -> bool {
    is_in(&JOINING, c) && !is_invisible(c)
}

/// Symbols that emoji consist of, and symbols in the same blocks; no letters.
const fn is_pictograph(c: char) -> bool {
    matches!(
        c,
        '\u{a9}'
            | '\u{ae}'
            | '\u{203c}'
            | '\u{2049}'
            | '\u{2122}'
            | '\u{2139}'
            | '\u{2190}'..='\u{23ff}'
            | '\u{24c2}'
            | '\u{2500}'..='\u{27ff}'
            | '\u{2900}'..='\u{297f}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{3030}'
            | '\u{303d}'
            | '\u{3297}'
            | '\u{3299}'
            | '\u{1f000}'..='\u{1faff}'
    )
}

/// The base of a subdivision flag, which is spelt in tags after it.
const FLAG: char = '\u{1f3f4}';

/// Maximum of letters and digits in such a flag.
const MAX_FLAG_LENGTH: usize = 6;

/// How many characters at the beginning of a text are the tags of a flag: the letters and digits of a subdivision, such as
/// `gbsct`, and the cancel tag (UTS 51, annex C).
fn tags_of_flag(mut text: impl Iterator<Item = char>) -> usize {
    let is_letter = |c: &char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let mut tags = 0;
    for c in text.by_ref().take(MAX_FLAG_LENGTH + 1) {
        tags += 1;
        if c == '\u{e007f}' && tags > 4 {
            return tags;
        }
        if !is_letter(&c) {
            break;
        }
    }
    0
}

const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

const fn is_mongolian(c: char) -> bool {
    matches!(c, '\u{1820}'..='\u{18aa}')
}

/// Chooses the form of the character before it (`Variation_Selector`).
const fn is_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_properties::props::{
        BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory,
        GeneralCategoryGroup, JoiningType, NoncharacterCodePoint, Script, VariationSelector,
    };
    use icu_properties::{CodePointMapData, CodePointSetData};

    #[test]
    fn the_table_is_that_of_unicode() {
        let categories = CodePointMapData::<GeneralCategory>::new();
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let bidi = CodePointSetData::new::<BidiControl>();
        for c in '\0'..=char::MAX {
            let is_drawn_as_nothing = matches!(
                c,
                '\u{2028}'
                    | '\u{2029}'
                    | '\u{2800}'
                    | '\u{fffc}'
                    | '\u{13441}'
                    | '\u{13442}'
                    | '\u{16fe4}'
                    | '\u{1d159}'
            );
            let expected = is_drawn_as_nothing
                || ignorable.contains(c)
                || bidi.contains(c)
                || categories.get(c) == GeneralCategory::Format;
            assert_eq!(is_invisible(c), expected, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn private_use_characters_and_noncharacters_are_those_of_unicode() {
        let categories = CodePointMapData::<GeneralCategory>::new();
        let others = CodePointSetData::new::<NoncharacterCodePoint>();
        for c in '\0'..=char::MAX {
            let expected = others.contains(c) || categories.get(c) == GeneralCategory::PrivateUse;
            assert_eq!(is_unreadable(c), expected, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn joiners_have_a_meaning_where_unicode_joins_letters() {
        let types = CodePointMapData::<JoiningType>::new();
        let classes = CodePointMapData::<CanonicalCombiningClass>::new();
        let scripts = CodePointMapData::<Script>::new();
        let categories = CodePointMapData::<GeneralCategory>::new();
        let joins = [JoiningType::DualJoining, JoiningType::LeftJoining, JoiningType::RightJoining];
        let never = [
            Script::Latin,
            Script::Greek,
            Script::Cyrillic,
            Script::Han,
            Script::Hiragana,
            Script::Katakana,
            Script::Hangul,
            Script::Hebrew,
            Script::Georgian,
            Script::Armenian,
        ];
        for c in ('\0'..=char::MAX).filter(|c| !is_invisible(*c)) {
            let code = u32::from(c);
            if joins.contains(&types.get(c)) || classes.get(c) == CanonicalCombiningClass::Virama {
                assert!(is_of_joining_script(c), "U+{code:04X}");
            }
            if never.contains(&scripts.get(c)) {
                assert!(!is_of_joining_script(c), "U+{code:04X}");
            }
            // Unicode classifies the information sign as a letter and as a pictograph.
            let is_letter = GeneralCategoryGroup::Letter.contains(categories.get(c)) && c != '\u{2139}';
            assert!(!(is_letter && is_pictograph(c)), "U+{code:04X}");
        }
        for c in CodePointSetData::new::<ExtendedPictographic>().iter_ranges().flatten().filter_map(char::from_u32) {
            assert!(is_pictograph(c) || c > '\u{1faff}', "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn an_invisible_character_where_nothing_joins_has_no_meaning() {
        for (text, offset) in [
            ("Ан\u{200d}на", 4),
            ("Ан\u{200c}на", 4),
            ("Zoé\u{200d}éa", 4),
            ("漢\u{200d}字", 3),
            ("Ελ\u{200c}λη", 4),
            ("—\u{fe0f}—", 3),
            ("\u{1f3f4}\u{e007f}", 4),
            ("\u{1f3f4}\u{e0073}\u{e0065}\u{e0063}\u{e0072}\u{e0065}\u{e0074}", 4),
            ("\u{1f3f4}\u{e0073}\u{e0065}\u{e0063}\u{e0072}\u{e0065}\u{e0074}\u{e0073}\u{e007f}", 4),
            ("☃\u{200c}☃", 3),
        ] {
            assert_eq!(find_meaningless(text), Some(offset), "{text:?}");
        }
        // Persian, Hindi, Sinhala, a family, a heart on fire, a sailor, the flag of Scotland between words.
        let scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        for text in [
            "علی\u{200c}رضا",
            "क्\u{200d}ष",
            "ශ්\u{200d}රී",
            "👨\u{200d}👩\u{200d}👧",
            "❤\u{fe0f}\u{200d}🔥",
            "🧑🏽\u{200d}✈\u{fe0f}",
            &format!("Ada {scotland} Ada"),
        ] {
            assert_eq!(find_meaningless(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_the_ends_are_trimmed() {
        assert_eq!(trimmed("\u{feff} \u{200b}a\u{200b}b\u{202e}\u{3164}\t"), "a\u{200b}b");
        assert_eq!(trimmed("\u{200b}\u{ad} "), "");
    }

    #[test]
    fn a_meaningful_character_at_the_end_of_a_name_stays() {
        let scotland = "Ada \u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        for name in ["Ada ❤\u{fe0f}", "☺\u{fe0f}", "山辻\u{e0100}", "\u{1820}\u{180b}", scotland, "Ada"] {
            assert_eq!(trimmed_words(&format!("\u{feff} {name}\u{200b} \u{ad}")), name, "{name:?}");
            assert_eq!(find_meaningless(name), None, "{name:?}");
        }
        for text in ["a\u{fe0f}", "a\u{200d}", "a\u{e0100}\u{200b}", "a\u{180e}", "a\u{e007f}"] {
            assert_eq!(trimmed_words(text), "a", "{text:?}");
        }
        assert_eq!(trimmed_words("\u{200b}\u{ad} "), "");
        assert_eq!(find_meaningless("a\u{e0067}\u{e007f}"), Some(1));
    }

    #[test]
    fn joiners_and_emoji_in_names_have_a_meaning() {
        for name in ["1\u{fe0f}\u{20e3}", "葛\u{e0100}城", "ᠮᠣᠩᠭ\u{180b}ᠣᠯ", "ᠰᠠᠷ\u{180e}ᠠ"] {
            assert_eq!(find_meaningless(name), None, "{name:?}");
        }
        for name in ["علی\u{200c}رضا", "क्\u{200d}ष", "👩\u{200d}💻 Ada", "❤\u{fe0f} Ada", "🏳\u{fe0f}\u{200d}🌈 Ada"]
        {
            assert_eq!(find_meaningless(name), None, "{name:?}");
        }
        for (name, offset) in [
            ("a\u{200d}b", 1),
            ("a\u{fe0f}", 1),
            ("1\u{fe0f}a", 1),
            ("a\u{e0100}", 1),
            ("a\u{180b}", 1),
            ("a\u{16fe4}b", 1),
            ("\u{fffc}", 0),
            ("é\u{fe0f}", 2),
            ("👩\u{200d} b", 4),
            ("👩\u{200d}\u{200d}💻", 4),
            ("a\u{202e}b", 1),
            ("a\u{3164}b", 1),
        ] {
            assert_eq!(find_meaningless(name), Some(offset), "{name:?}");
        }
    }

    #[test]
    fn a_joiner_that_changes_the_letter_next_to_it_stays() {
        for name in [
            "മോഹന്\u{200d}",
            "മോഹന്\u{200d} ലാല്\u{200d}",
            "രാജന്\u{200d}-നായര്\u{200d}",
            "സി. രാജന്\u{200d}.",
            "জগত্\u{200d} সিং",
            "ക്\u{200c}",
            "१ हिजरी क्\u{200d}",
            "\u{647}\u{200d}",
            "\u{647}\u{64e}\u{200d} 1446",
            "\u{200d}\u{647}",
            "\u{1000}\u{fe00}",
            "\u{a856}\u{fe00}",
            "\u{10ac5}\u{fe00}",
            "\u{13091}\u{fe06}",
            "0\u{fe00}",
            "、\u{fe01}",
        ] {
            assert_eq!(trimmed_words(&format!(" {name}\u{200b}")), name, "{name:?}");
            assert_eq!(find_meaningless(name), None, "{name:?}");
        }
        // One of two joiners suffices; Arabic dal does not join the next letter, and no letter breaks at the end of a word.
        for (name, kept) in [
            ("ന്\u{200d}\u{200d}", "ന്\u{200d}"),
            ("\u{62f}\u{200d}", "\u{62f}"),
            ("\u{647}\u{200c}", "\u{647}"),
            ("\u{200d}\u{915}", "\u{915}"),
            ("an\u{303}\u{200d}", "an\u{303}"),
            ("ಕ\u{fe00}", "ಕ"),
            ("1\u{fe00}", "1"),
            ("漢\u{fe03}", "漢"),
        ] {
            assert_eq!(trimmed_words(name), kept, "{name:?}");
            assert_eq!(without_meaningless(name), kept, "{name:?}");
        }
    }

    #[test]
    fn only_the_next_characters_are_read_to_find_a_flag() {
        let text = format!("{FLAG}{}", "\u{e0074}".repeat(16_000));
        let mut characters = 0;
        assert_eq!(tags_of_flag(text.chars().skip(1).inspect(|_| characters += 1)), 0);
        assert_eq!(characters, 7);
        assert_eq!(trimmed_words(&text), FLAG.to_string());
        assert_eq!(trimmed_words("\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}"), "");
    }

    #[test]
    fn a_flag_behind_another_one_keeps_its_tags() {
        for name in [
            "Ada 🏴🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "🏴 🏴\u{e0075}\u{e0073}\u{e0074}\u{e0078}\u{e007f}",
            "🏴🏴🏴\u{e0075}\u{e0073}\u{e0074}\u{e0078}\u{e007f}",
        ] {
            assert_eq!(trimmed_words(&format!("{name} \u{200b}")), name, "{name:?}");
            assert_eq!(find_meaningless(name), None, "{name:?}");
        }
    }

    /// `StandardizedVariants.txt`: 1828 180D, 182D 180B, A856 FE00, 10AC5 FE00.
    #[test]
    fn a_letter_with_a_selector_joins_like_the_letter() {
        for name in [
            "ᠠ\u{1828}\u{180d}\u{180e}ᠠ",
            "\u{182d}\u{180b}\u{180e}ᠠ",
            "\u{182e}\u{180b}\u{200d}",
            "\u{182d}\u{180b}\u{200c}ᠠ",
            "\u{a856}\u{fe00}\u{200d}",
            "\u{1000}\u{fe00}\u{200d}\u{1000}",
        ] {
            assert_eq!(trimmed_words(&format!(" {name}\u{200b}")), name, "{name:?}");
            assert_eq!(find_meaningless(name), None, "{name:?}");
        }
        // A vowel separator has no variants.
        assert_eq!(find_meaningless("ᠠ\u{180e}\u{180b}ᠠ"), Some(3));
        assert_eq!(find_meaningless("❤\u{fe0f}\u{fe0f}"), Some(6));
    }

    #[test]
    fn selectors_are_those_of_unicode() {
        let selectors = CodePointSetData::new::<VariationSelector>();
        for c in '\0'..=char::MAX {
            assert_eq!(is_selector(c), selectors.contains(c), "U+{:04X}", u32::from(c));
        }
    }

    /// Trimming first and leaving out first give the same.
    #[test]
    fn a_text_without_meaningless_characters_loses_none_at_its_ends() {
        const PARTS: [&str; 14] = [
            "a",
            " ",
            "1",
            "🏴",
            "\u{e0075}\u{e0073}\u{e0074}\u{e0078}\u{e007f}",
            "❤",
            "\u{fe0f}",
            "\u{20e3}",
            "\u{200d}",
            "\u{200c}",
            "ᠠ",
            "\u{180b}",
            "\u{180e}",
            "\u{647}",
        ];
        for number in 0..PARTS.len().pow(4) {
            let parts = (0..4).map(|place| PARTS[number / PARTS.len().pow(place) % PARTS.len()]);
            let text: String = parts.collect();
            let kept = without_meaningless(&text);
            assert_eq!(trimmed_words(&kept), kept.trim(), "{text:?}");
            assert_eq!(without_meaningless(trimmed_words(&text)), kept.trim(), "{text:?}");
        }
    }
}
