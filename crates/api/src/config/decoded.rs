//! Decodes the name and the password in a URL.

/// The percent-decoded name or password of a URL, as it is sent to the server.
pub fn decoded(part: &str) -> String {
    // The encoding of forms differs from that of URLs in these two characters only.
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
