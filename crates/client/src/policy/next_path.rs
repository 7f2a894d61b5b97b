//! Where a sign-in may lead: back to a page of this application, and nowhere else.

use super::pages::Pages;

/// The start page, and the target when `next` is not accepted.
pub const START: &str = "/";

/// Where visitors sign in.
pub const SIGN_IN: &str = "/login";

const MAX_LENGTH: usize = 2048;

/// `next` if it is a path on this origin in plain form, otherwise [`START`]. Pages that are for visitors only are not accepted,
/// because they redirect users.
///
/// Only text that no URL parser would change is accepted: one leading slash, no empty, `.` or `..` segment, no backslash, no
/// blank or control character, and none of these percent-encoded. `/..//e.com`, which a browser normalises to `//e.com`,
/// shows why checking the origin after parsing is not enough.
pub fn accept_next(next: &str, pages: Pages) -> &str {
    let path = path_of(next);
    let fits = next.len() <= MAX_LENGTH
        && next.bytes().all(is_plain)
        && path.strip_prefix('/').is_some_and(segments_fit)
        && percent_encodings_fit(next)
        && !pages.is_for_visitors(path.trim_end_matches('/'));
    if fits { next } else { START }
}

/// The path of the sign-in page that leads back to `next`.
pub fn sign_in_path(next: &str, pages: Pages) -> String {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    accept_next(next, pages).bytes().fold(format!("{SIGN_IN}?next="), |path, byte| {
        if is_unreserved(byte) {
            path + char::from(byte).encode_utf8(&mut [0; 4])
        } else {
            format!("{path}%{byte:02X}")
        }
    })
}

fn path_of(next: &str) -> &str {
    next.split(['?', '#']).next().unwrap_or_default()
}

/// The characters of RFC 3986 and no others.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// No segment but the last is empty, and none is `.` or `..`.
fn segments_fit(path: &str) -> bool {
    let mut segments = path.split('/').rev();
    let last = segments.next().unwrap_or_default();
    !is_dots(last) && segments.all(|segment| !segment.is_empty() && !is_dots(segment))
}

fn is_dots(segment: &str) -> bool {
    segment == "." || segment == ".."
}

/// Each `%` is followed by two hex digits, and they do not encode a character that matters to a URL parser.
fn percent_encodings_fit(next: &str) -> bool {
    next.split('%').skip(1).all(|rest| {
        let code = rest.get(..2).filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        code.and_then(|code| u8::from_str_radix(code, 16).ok()).is_some_and(|byte| !is_hidden_syntax(byte))
    })
}

const fn is_hidden_syntax(byte: u8) -> bool {
    byte.is_ascii_control() || matches!(byte, b'/' | b'\\' | b'.' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Audience, PageInfo};

    const PAGES: Pages = Pages(&[for_visitors("/login"), for_visitors("/register")]);

    const fn for_visitors(path: &'static str) -> PageInfo {
        PageInfo { path, title: "", audience: Audience::Visitors, entry: None }
    }

    #[test]
    fn paths_of_this_application_are_accepted_as_they_are() {
        for next in ["/", "/account", "/sessions", "/a/b", "/a/b/", "/account?tab=2&x=%20y", "/a?b=c#d", "/caf%C3%A9"] {
            assert_eq!(accept_next(next, PAGES), next);
        }
    }

    #[test]
    fn nothing_leads_to_another_origin() {
        let attempts = [
            "",
            "account",
            "//e.com",
            "///e.com",
            "/\\e.com",
            "\\/e.com",
            "\\\\e.com",
            "/%09/e.com",
            "/\t/e.com",
            "\t//e.com",
            " //e.com",
            "/ /e.com",
            "https:e.com",
            "https://e.com",
            "HTTPS://e.com",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:,x",
            "https://app.x.com.e.com",
            "/..//e.com",
            "/.//e.com",
            "/a/..//e.com",
            "/a/../../e.com",
            "/..",
            "/.",
            "/a/.",
            "/%2e%2e//e.com",
            "/%2E%2E/%2fe.com",
            "/.%2e/x",
            "%2f%2fe.com",
            "/%2fe.com",
            "/%2Fe.com",
            "//app.x.com@e.com",
            "/%5ce.com",
            "/%5Ce.com",
            "/a//e.com",
            "/\u{0}/e.com",
            "/\r\n/e.com",
            "/\u{2028}/e.com",
            "/\u{ff0f}e.com",
            "/é",
            "?next=//e.com",
            "#//e.com",
            "/%",
            "/%4",
            "/%zz",
            "/%é",
            "/%252fe.com",
            "/a|b",
            "/<script>",
            "\u{feff}//e.com",
        ];
        for next in attempts {
            assert_eq!(accept_next(next, PAGES), START, "{next:?} was accepted");
        }
        assert_eq!(accept_next(&format!("/{}", "a".repeat(MAX_LENGTH)), PAGES), START);
    }

    #[test]
    fn signing_in_does_not_lead_back_to_signing_in() {
        for next in ["/login", "/login/", "/login?next=%20", "/register", "/register#x"] {
            assert_eq!(accept_next(next, PAGES), START);
        }
        assert_eq!(accept_next("/login-history", PAGES), "/login-history");
    }

    #[test]
    fn the_way_to_sign_in_remembers_the_page() {
        assert_eq!(sign_in_path("/account", PAGES), "/login?next=%2Faccount");
        assert_eq!(sign_in_path("/a?b=c&d=e", PAGES), "/login?next=%2Fa%3Fb%3Dc%26d%3De");
        assert_eq!(sign_in_path("//e.com", PAGES), "/login?next=%2F");
    }
}
