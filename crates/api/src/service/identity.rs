//! The canonical form of names: two names that are the same to a person are the same to the database.
//!
//! Made here and never by SQL's `lower`, which differs between databases and locales.

use unicode_normalization::UnicodeNormalization;

/// The canonical form of an address: NFC and lower case before the `@`, IDNA after it.
///
/// # Errors
/// One sentence for the person who typed it, when the domain is none.
pub fn canonical_email(address: &str) -> Result<String, String> {
    let wrong = || "Enter an email address such as name@example.com.".to_owned();
    let (local, domain) = address.trim().rsplit_once('@').ok_or_else(wrong)?;
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| wrong())?;
    let local: String = local.nfc().collect::<String>().to_lowercase();
    Ok(format!("{local}@{domain}"))
}

/// The canonical form of a username: NFKC and lower case, applied until nothing changes any more.
#[must_use]
pub fn canonical_username(name: &str) -> String {
    let fold = |text: &str| text.nfkc().collect::<String>().to_lowercase().nfkc().collect::<String>();
    fold(&fold(name.trim()))
}
