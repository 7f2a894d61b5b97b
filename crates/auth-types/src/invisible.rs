//! Characters that nobody sees. In a name they make two that look alike, or turn around what stands next to them.

/// Ranges of code points, in order: `Default_Ignorable_Code_Point`, `General_Category=Format` (the bidirectional controls
/// among them) of Unicode 16, the two separators of lines and paragraphs, and letters, notes and places for objects that are drawn
/// as nothing: U+2800 of braille, U+FFFC, U+13441 and U+13442 of Egyptian, U+16FE4 of Khitan, U+1D159 of music.
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

/// Whether nobody sees this character, or it only turns around what others are shown.
pub fn is_invisible(c: char) -> bool {
    let c = u32::from(c);
    let next = RANGES.partition_point(|(_, last)| *last < c);
    RANGES.get(next).is_some_and(|(first, _)| *first <= c)
}

/// Whether a character means nothing to others: one for private use, which looks as each font wants it, and one that Unicode
/// has declared to be none. Those that a later Unicode may assign are not among them: a new letter is somebody's name.
pub fn is_unreadable(c: char) -> bool {
    let code = u32::from(c);
    matches!(code, 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff | 0xfdd0..=0xfdef) || code & 0xfffe == 0xfffe
}

/// `text` without the blanks and invisible characters at its ends: what a paste brings along.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// The same of a text for people: what means something at its end stays, as the selector that makes the last symbol an emoji.
pub fn trimmed_words(text: &str) -> &str {
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
    while let Some(last) = rest.chars().next_back() {
        let before = &rest[..rest.len() - last.len_utf8()];
        let has_meaning = || has_meaning(before.chars().next_back(), last, None) || ends_with_flag(rest);
        if !last.is_whitespace() && (!is_invisible(last) || has_meaning()) {
            break;
        }
        rest = before;
    }
    rest
}

/// The first invisible character of a text for people that means nothing where it stands, as its place in bytes.
///
/// A joiner between letters of scripts that are written with joiners, or between emoji, means something; so does the
/// selector that makes a symbol or a key an emoji, or chooses the form of an ideograph or of a Mongolian letter.
pub fn find_meaningless(text: &str) -> Option<usize> {
    let mut before = None;
    let mut characters = text.char_indices().peekable();
    while let Some((place, c)) = characters.next() {
        let after = characters.peek().map(|(_, c)| *c);
        if is_invisible(c) && !has_meaning(before, c, after) {
            return Some(place);
        }
        if c == FLAG {
            for _ in 0..tags_of_flag(&text[place + c.len_utf8()..]) {
                characters.next();
            }
        }
        before = Some(c);
    }
    None
}

fn has_meaning(before: Option<char>, c: char, after: Option<char>) -> bool {
    match (before, c, after) {
        (Some(before), '\u{200c}' | '\u{200d}', Some(after)) if is_of_joining_script(before) => {
            is_of_joining_script(after)
        }
        (Some(before), '\u{200d}', Some(after)) => {
            (is_pictograph(before) || is_selector(before)) && is_pictograph(after)
        }
        (Some('0'..='9' | '#' | '*'), '\u{fe0f}', Some('\u{20e3}')) => true,
        (Some(before), '\u{e0100}'..='\u{e01ef}' | '\u{fe00}'..='\u{fe02}', _) => is_ideograph(before),
        (Some(before), '\u{180b}'..='\u{180d}' | '\u{180f}', _) => is_mongolian(before),
        (Some(before), '\u{180e}', Some(after)) => is_mongolian(before) && is_mongolian(after),
        (Some(before), c, _) => is_selector(c) && is_pictograph(before),
        _ => false,
    }
}

/// The scripts whose letters take other forms next to each other, or whose viramas join them, as ranges of their blocks, in
/// order: there a joiner changes what is seen (Unicode 16, sections 9.2 and 12.1).
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
    let code = u32::from(c);
    let next = JOINING.partition_point(|(_, last)| *last < code);
    JOINING.get(next).is_some_and(|(first, _)| *first <= code) && !is_invisible(c)
}

/// Symbols that emoji are made of, and others between them; no letters.
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

/// Behind it, the flag of a part of a country is spelt in tags.
const FLAG: char = '\u{1f3f4}';

/// How many characters at the beginning of `text` are the tags of a flag: letters and digits of a part of a country, `gbsct`,
/// and the tag that ends them (UTS 51, annex C).
fn tags_of_flag(text: &str) -> usize {
    let letters =
        text.chars().take_while(|c| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}')).count();
    let is_whole = (4..=6).contains(&letters) && text.chars().nth(letters) == Some('\u{e007f}');
    if is_whole { letters + 1 } else { 0 }
}

fn ends_with_flag(text: &str) -> bool {
    let tags = text.rsplit_once(FLAG).map(|(_, tags)| tags);
    tags.is_some_and(|tags| !tags.is_empty() && tags_of_flag(tags) == tags.chars().count())
}

const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

const fn is_mongolian(c: char) -> bool {
    matches!(c, '\u{1820}'..='\u{18aa}')
}

/// Shows the symbol before it as text, or as an emoji.
const fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_properties::props::{
        BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory,
        GeneralCategoryGroup, JoiningType, NoncharacterCodePoint, Script,
    };
    use icu_properties::{CodePointMapData, CodePointSetData};

    #[test]
    fn the_table_is_that_of_unicode() {
        let categories = CodePointMapData::<GeneralCategory>::new();
        let (ignorable, bidi) =
            (CodePointSetData::new::<DefaultIgnorableCodePoint>(), CodePointSetData::new::<BidiControl>());
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
    fn what_is_no_character_for_others_is_that_of_unicode() {
        let categories = CodePointMapData::<GeneralCategory>::new();
        let others = CodePointSetData::new::<NoncharacterCodePoint>();
        for c in '\0'..=char::MAX {
            let expected = others.contains(c) || categories.get(c) == GeneralCategory::PrivateUse;
            assert_eq!(is_unreadable(c), expected, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn joiners_mean_something_where_unicode_says_that_letters_join() {
        let (types, classes) =
            (CodePointMapData::<JoiningType>::new(), CodePointMapData::<CanonicalCombiningClass>::new());
        let (scripts, categories) = (CodePointMapData::<Script>::new(), CodePointMapData::<GeneralCategory>::new());
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
            // To Unicode the sign of information is a letter, and a pictograph.
            let is_letter = GeneralCategoryGroup::Letter.contains(categories.get(c)) && c != '\u{2139}';
            assert!(!(is_letter && is_pictograph(c)), "U+{code:04X}");
        }
        for c in CodePointSetData::new::<ExtendedPictographic>().iter_ranges().flatten().filter_map(char::from_u32) {
            assert!(is_pictograph(c) || c > '\u{1faff}', "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn what_cannot_be_seen_where_nothing_joins_means_nothing() {
        for (text, place) in [
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
            assert_eq!(find_meaningless(text), Some(place), "{text:?}");
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
    fn what_means_something_at_the_end_of_a_name_stays() {
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
    fn joiners_and_emoji_of_names_mean_something() {
        for name in ["1\u{fe0f}\u{20e3}", "葛\u{e0100}城", "ᠮᠣᠩᠭ\u{180b}ᠣᠯ", "ᠰᠠᠷ\u{180e}ᠠ"] {
            assert_eq!(find_meaningless(name), None, "{name:?}");
        }
        for name in ["علی\u{200c}رضا", "क्\u{200d}ष", "👩\u{200d}💻 Ada", "❤\u{fe0f} Ada", "🏳\u{fe0f}\u{200d}🌈 Ada"]
        {
            assert_eq!(find_meaningless(name), None, "{name:?}");
        }
        for (name, place) in [
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
            assert_eq!(find_meaningless(name), Some(place), "{name:?}");
        }
    }
}
