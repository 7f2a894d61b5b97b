//! The direction in which a name is written (RFC 5893, section 2; RFC 8265 applies it to usernames): a right-to-left name
//! contains nothing that could be displayed in another order.
//!
//! The PRECIS crate also has this rule, but it treats a nonspacing mark as the end of the name, so that no name with vowel
//! points would pass.

use unicode_bidi::BidiClass as Class;
use unicode_bidi::bidi_class;

/// Whether a name has letters of one direction only, or satisfies the rule.
pub(super) fn is_of_one_direction(name: &str) -> bool {
    let classes: Vec<_> = name.chars().map(bidi_class).collect();
    let has = |class| classes.contains(&class);
    if ![Class::R, Class::AL, Class::AN].into_iter().any(has) {
        return true;
    }
    // With such a character in it, a name that begins from left to right (conditions 5 and 6) never fits.
    let begins = matches!(classes.first(), Some(Class::R | Class::AL));
    let ends = classes.iter().rev().find(|class| **class != Class::NSM);
    let ends = matches!(ends, Some(Class::R | Class::AL | Class::EN | Class::AN));
    begins && ends && classes.iter().copied().all(fits) && !(has(Class::EN) && has(Class::AN))
}

/// Condition 2.
const fn fits(class: Class) -> bool {
    matches!(
        class,
        Class::R
            | Class::AL
            | Class::AN
            | Class::EN
            | Class::ES
            | Class::CS
            | Class::ET
            | Class::ON
            | Class::BN
            | Class::NSM
    )
}

#[cfg(test)]
mod tests {
    use super::is_of_one_direction;

    #[test]
    fn marks_are_allowed_anywhere_after_the_first_letter() {
        for name in [
            "",
            "ada",
            "héloïse",
            "ก้าน",
            "שָל",
            "שָׁלוֹם",
            "כָּ",
            "مُحمد",
            "مُحَمَّد",
            "مُ.مُ",
            "شَدَّة1",
            "دِ١",
            "ދިވެހި",
            "ܫܠܳܡܐ",
            "ߒߞߏ߫",
            "שלום-1",
            "a1.b",
        ] {
            assert!(is_of_one_direction(name), "{name:?}");
        }
    }

    #[test]
    fn directions_are_not_mixed() {
        for name in ["aש", "שa", "1ש", ".ש", "ָש", "שָa", "ש.", "ש-ָ", "م1١", "م١1", "a١", "ש\u{202e}ל"]
        {
            assert!(!is_of_one_direction(name), "{name:?}");
        }
    }
}
