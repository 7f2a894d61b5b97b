use super::former::former_username;
use super::{Name, canonical_email, canonical_username, migrated, new_email, new_username, typed_email};
use auth_types::invisible::trimmed;
use precis_profiles::UsernameCasePreserved;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use proptest::prelude::*;

fn canonical(name: &str) -> Option<String> {
    new_username(name).ok().flatten().map(|name| name.canonical)
}

#[test]
fn domains_are_compared_as_they_are_looked_up() {
    assert_eq!(canonical_email(" Ada@EXÄMPLE.de "), Ok("ada@xn--exmple-cua.de".to_owned()));
    assert_eq!(canonical_email("ada@xn--exmple-cua.de"), Ok("ada@xn--exmple-cua.de".to_owned()));
    for wrong in ["ada", "ada@", "ada@exa_mple.com", "ada@-example.com", "ada@xn--a.com", "ada@a..com"] {
        assert!(canonical_email(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_address_is_composed_and_has_no_letter_in_disguise() {
    let angstrom = typed_email("\u{feff}\u{212b}ngstro\u{308}m@example.com\u{200b}").unwrap_or_default();
    assert_eq!(
        (angstrom.shown.as_str(), angstrom.canonical.as_str()),
        ("Ångström@example.com", "ångström@example.com")
    );
    assert!(new_email("\u{212b}ngstrom@example.com").is_ok());
    for disguised in
        ["jac\u{212a}@example.org", "ｊack@example.org", "ﬁn@example.org", "je\u{17f}s@example.org", "µ@example.org"]
    {
        assert!(new_email(disguised).is_err(), "{disguised:?}");
        assert!(typed_email(disguised).is_ok(), "an existing account may have {disguised:?}");
    }
}

#[test]
fn letters_that_a_person_cannot_distinguish_are_one_name() {
    for (one, other) in [("Ａｄａ", "ada"), ("É", "e\u{301}"), ("\u{200b}ada\u{2060}", "Ada"), ("ΧΑΟΣ", "χαος")]
    {
        assert_eq!(canonical_username(one), canonical_username(other), "{one:?} {other:?}");
    }
    assert_ne!(canonical_username("ada"), canonical_username("аda"), "a Cyrillic letter is a different letter");
}

/// The examples of RFC 8265, section 3.5, as far as a username here may have their characters.
#[test]
fn a_username_is_enforced_by_precis() {
    for (name, expected) in [("juliet", "juliet"), ("fussball", "fussball"), ("fußball", "fußball"), ("π", "π")] {
        let name = format!("{name}{name}");
        assert_eq!(canonical(&name), Some(format!("{expected}{expected}")));
    }
    assert_eq!(canonical("Σa9"), canonical("σa9"));
    assert_ne!(canonical("ςa9"), canonical("σa9"));
    for refused in
        ["henry\u{2163}", "\u{212a}im", "ﬁn", "\u{17f}9", "a\u{5d0}b", "a\u{fe72}", "a\u{ffa0}b", "a\u{200d}b"]
    {
        assert!(new_username(refused).is_err(), "{refused:?}");
    }
    assert_eq!(new_username(" \u{3164}\u{202e}"), Ok(None));
    let wide = Name { shown: "Ada".to_owned(), canonical: "ada".to_owned() };
    assert_eq!(new_username("Ａｄａ"), Ok(Some(wide)));
}

/// For every name that the crate's own rule for the direction allows, the result is the same.
#[test]
fn names_of_every_script_are_enforced_as_by_the_profile() {
    for name in [
        "Ada.Lovelace",
        "Ümit",
        "Александр",
        "Ἀλέξανδρος",
        "אברהם",
        "محمد",
        "हिन्दी",
        "ก้าน",
        "தமிழ்",
        "မြန်မာ",
        "ខ្មែរ",
        "བོད་",
        "さくら",
        "サクラ",
        "漢字",
        "한국어",
        "Հայերեն",
        "ქართული",
        "አማርኛ",
        "סְ",
    ] {
        let profile = UsernameCasePreserved::enforce(name).ok().map(String::from);
        assert_eq!(super::username::precis(name), profile, "{name:?}");
    }
    for pointed in ["שָל", "שָׁלוֹם", "مُحمد", "مُ.مُ", "ܫܠܳܡܐ", "ދިވެހި"] {
        let name = new_username(pointed).unwrap_or_default().unwrap_or_default();
        assert_eq!(canonical_username(&name.shown), name.canonical, "{pointed:?}");
        assert!(!name.shown.is_empty(), "{pointed:?}");
    }
}

#[test]
fn a_name_of_an_earlier_release_is_found_as_it_was_stored() {
    for (name, stored) in [("ſ9", "s9"), ("ﬁn", "fin"), ("a\u{3164}b", "a\u{1160}b")] {
        assert_eq!(canonical_username(name), stored);
    }
    assert_eq!(former_username("\u{3164}ada"), "\u{1160}ada");
    // Some Arabic presentation forms contain a space.
    let canonical = former_username("\u{fe72}p");
    assert_eq!(former_username(&canonical), canonical);
}

#[test]
fn a_row_is_migrated_name_by_name() {
    let names = migrated("\u{200b}Ada@example.com", Some("a\u{3164}b"), "\u{feff}Ada\u{202e} Lovelace");
    assert_eq!(names.email.map(|email| email.canonical).as_deref(), Some("ada@example.com"));
    assert_eq!(names.username, None);
    assert_eq!(names.display_name, "Ada Lovelace");
    assert_eq!(migrated("", None, "ന്\u{200d} a\u{200b}\u{ad}b ന്\u{200d}").display_name, "ന്\u{200d} ab ന്\u{200d}");
    assert_eq!(migrated("a\u{200b}da@example.com", None, "").email, None);
    assert_eq!(migrated("jac\u{212a}@example.org", None, "").email.unwrap_or_default().shown, "jacK@example.org");
}

#[test]
fn a_name_that_is_too_long_is_not_changed() {
    let longest = "\u{fdfa}".repeat(150);
    assert_ne!(canonical_username(&longest), longest, "this was once a username");
    for long in ["\u{fdfa}".repeat(151), "a".repeat(4_801)] {
        assert_eq!(canonical_username(&long), long);
        assert!(new_username(&long).is_err());
    }
}

/// The rules for such digits read all of the name for each digit.
#[test]
fn precis_is_not_asked_about_a_name_that_is_longer_than_any() {
    for digit in ["\u{660}", "\u{6f0}"] {
        let name = |length: usize| format!("\u{628}{}", digit.repeat(length - 1));
        assert!(super::username::precis(&name(300)).is_some());
        assert_eq!(super::username::precis(&name(301)), None);
        assert_eq!(canonical_username(&name(2_000)), name(2_000));
    }
    let dotted = "\u{130}".repeat(150);
    let name = new_username(&dotted).unwrap_or_default().unwrap_or_default();
    assert_eq!(canonical_username(&name.canonical), name.canonical);
    assert!(!name.canonical.is_empty());
}

proptest! {
    /// A canonical form is its own canonical form: otherwise a stored name would not be found.
    #[test]
    fn a_canonical_name_is_its_own(name in "\\PC{0,20}") {
        if let Ok(Some(username)) = new_username(&name) {
            prop_assert_eq!(canonical_username(&name), username.canonical.clone());
            prop_assert_eq!(canonical_username(&username.shown), username.canonical.clone());
            prop_assert_eq!(canonical_username(&username.canonical), username.canonical);
        }
        if let Ok(email) = canonical_email(&format!("{name}@example.com")) {
            prop_assert_eq!(canonical_email(&email), Ok(email.clone()));
        }
    }

    /// An existing account finds its row: if PRECIS allows the name, its canonical form is the stored one. A few letters are
    /// invisible, such as U+13441, and are trimmed at the ends.
    #[test]
    fn precis_changes_no_stored_name(name in "[\\p{L}\\p{N}._+-]{2,20}") {
        if let Ok(Some(username)) = new_username(&name) {
            prop_assert_eq!(username.canonical, former_username(trimmed(&name)));
        }
    }

    #[test]
    fn case_never_makes_two_users(name in "[a-zäöüéçñа-яα-ρτ-ω0-9._+-]{1,20}") {
        prop_assert_eq!(canonical_username(&name.to_uppercase()), canonical_username(&name));
    }
}

#[test]
fn no_address_ends_in_a_number() {
    for address in ["ada@1.2", "ada@127.0.0.1", "ada@example.1"] {
        assert!(super::new_email(address).is_err(), "{address}");
        assert!(super::typed_email(address).is_ok(), "an existing account continues to sign in by it");
    }
    assert!(super::new_email("ada@1.example").is_ok());
}

#[test]
fn a_display_name_is_composed() {
    assert_eq!(super::display_name(" Ame\u{301}lie "), Ok("Amélie".to_owned()));
    assert_eq!(super::display_name("മോഹന്\u{200d} "), Ok("മോഹന്\u{200d}".to_owned()));
}
