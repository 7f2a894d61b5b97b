//! Hosts in URLs: one rule for every variable that names one.
//!
//! A host that no resolver can find is refused at the start, because the process would retry forever.
//! A name beyond ASCII is converted to its A-labels (RFC 5890), which `url` does in the web's own schemes only.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use url::{Host, Url};

/// The URL with its host in the form that resolvers accept.
///
/// # Errors
/// What is wrong and how to write it. The message has no part of the URL, which may hold a password.
pub(super) fn with_usable_host(url: &Url) -> Result<Url, &'static str> {
    if url.port() == Some(0) {
        return Err("has port 0, which no server uses; leave the port out for the usual one");
    }
    // A C string cannot contain it, and in SMTP it ends the name.
    if url.as_str().contains("%00") {
        return Err(HAS_NUL);
    }
    // The host ends at the first of these characters.
    if url.path().contains('@') || url.query().is_some_and(|query| query.contains('@')) {
        return Err("has an @, a / or a ? in the password; write them as %40, %2F and %3F");
    }
    let given = url.host_str().filter(|host| !host.is_empty()).ok_or("names no host")?;
    let host = usable(given)?;
    let mut url = url.clone();
    if host != given {
        url.set_host(Some(&host)).map_err(|_| NOT_A_HOST)?;
    }
    Ok(url)
}

pub(super) const HAS_NUL: &str = "has a %00, which no name and no password can hold; remove it";

const NOT_A_HOST: &str = "has a host that is neither a name nor an address";

/// A host in the form that resolvers accept: an ASCII name or an address, an IPv6 one in brackets.
pub(super) fn usable(host: &str) -> Result<String, &'static str> {
    let host = Host::parse(host).map_err(|_| NOT_A_HOST)?;
    if let Host::Domain(name) = &host {
        let labels = name.strip_suffix('.').unwrap_or(name);
        if labels.len() > 253 || labels.split('.').any(|label| !(1..=63).contains(&label.len())) {
            return Err("has a host with two dots in a row, or a part of more than 63 characters");
        }
    }
    Ok(host.to_string())
}

/// A DNS name, in A-labels: letters, digits and hyphens, the latter neither first nor last in a label (RFC 5890, LDH). A host
/// that is only resolved may have an underscore; a domain that browsers and mail servers compare may not.
pub(super) fn domain(name: &str) -> Result<String, &'static str> {
    let strict = (AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify);
    let name = Uts46::new().to_ascii(name.as_bytes(), strict.0, strict.1, strict.2).map_err(|_| NOT_A_DOMAIN)?;
    match Host::parse(&name) {
        Ok(Host::Domain(_)) => Ok(name.into_owned()),
        _ => Err(NOT_A_DOMAIN),
    }
}

const NOT_A_DOMAIN: &str = "is not a domain of letters, digits and hyphens";

#[cfg(test)]
mod tests {
    use super::{domain, usable};

    #[test]
    fn a_domain_has_letters_digits_and_hyphens() {
        for (given, taken) in [
            ("example.com", "example.com"),
            ("a--b.example.com", "a--b.example.com"),
            ("Exämple.de", "xn--exmple-cua.de"),
            ("xn--exmple-cua.de", "xn--exmple-cua.de"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(domain(given).as_deref(), Ok(taken), "{given}");
        }
        for given in [
            "",
            "*.example.com",
            "-a.com",
            "a-.com",
            "a_b.com",
            "xn--a.example",
            "a..b",
            ".a",
            "a.",
            "a b",
            "127.0.0.1",
            "1",
            "0x7f.1",
            "[::1]",
            "a/b",
        ] {
            assert!(domain(given).is_err(), "{given}");
        }
    }

    #[test]
    fn a_host_is_converted_to_the_form_that_resolvers_accept() {
        for (given, taken) in [
            ("db", "db"),
            ("my_db.internal", "my_db.internal"),
            ("db.example.com.", "db.example.com."),
            ("Exämple.DE", "xn--exmple-cua.de"),
            ("ex%C3%A4mple.de", "xn--exmple-cua.de"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(usable(given).as_deref(), Ok(taken), "{given}");
        }
        let long = format!("{}.example.com", "a".repeat(64));
        let whole = ["a".repeat(60).as_str(); 5].join(".");
        for given in
            ["", ".", "a..b", ".a", "a b", "a%20b", "a/b", "256.1.1.1", "1.2.3.4.5", "[::1", "::1", &long, &whole]
        {
            assert!(usable(given).is_err(), "{given}");
        }
    }
}
