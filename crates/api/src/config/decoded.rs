//! Parts of URLs that hold a name and a password.

/// A user's name or a password in a URL as the server gets it, without percent signs.
pub fn decoded(part: &str) -> String {
    // A form's encoding differs from a URL's in these two only.
    let form = part.replace('+', "%2B").replace('&', "%26");
    url::form_urlencoded::parse(format!("={form}").as_bytes()).map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_password_may_hold_any_character() {
        for (encoded, meant) in [("p+a&b%3Dc", "p+a&b=c"), ("%40%3A%2F", "@:/"), ("%C3%A4", "ä"), ("plain", "plain")] {
            assert_eq!(decoded(encoded), meant);
        }
    }
}
