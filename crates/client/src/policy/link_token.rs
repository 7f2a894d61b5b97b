//! Reads the token of a mailed link, also from an address that a mail program has changed.
//!
//! Mail programs encode its `#` and its `=`, once or twice, break it into lines, and append the text that follows it in a
//! sentence. A token consists of letters, digits, `-` and `_` and has a known length; everything else is left out.

use super::pages::Pages;
use super::percent::percent_decoded;
use auth_types::limits::LINK_TOKEN_LENGTH;

/// The name before a token.
const NAME: &str = "token";

/// Whether a fragment is meant to contain a token, valid or not.
pub fn holds_link_token(fragment: &str) -> bool {
    meant_as_token(&percent_decoded(fragment)).is_some()
}

/// The token of a fragment such as `#token=…`. It is in the fragment because that reaches no server, log or referrer.
pub fn link_token(fragment: &str) -> Option<String> {
    let decoded = percent_decoded(fragment);
    let token = without_encoded_equals(meant_as_token(&decoded)?);
    let token: String = token.chars().filter(|c| is_of_token(*c)).take(LINK_TOKEN_LENGTH).collect();
    (!token.is_empty()).then_some(token)
}

/// Whether only a part of the token has arrived.
pub const fn is_cut(token: &str) -> bool {
    token.len() < LINK_TOKEN_LENGTH
}

/// The original address of a mailed link, if `address` (path, query and fragment) was changed on its way. The router would find
/// no page at the changed address.
pub fn restored_address(address: &str, pages: Pages) -> Option<String> {
    let decoded = without_references(&percent_decoded(address));
    let (before, fragment) = decoded.split_once('#')?;
    meant_as_token(fragment)?;
    let path = before.split('?').next().unwrap_or_default();
    let path = path.trim_start().trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let page = pages.mailed(path)?;
    let restored = format!("{page}#{NAME}={}", link_token(fragment).unwrap_or_default());
    (restored != address).then_some(restored)
}

/// The text after the name, in a decoded fragment that is meant to contain a token.
fn meant_as_token(fragment: &str) -> Option<&str> {
    let rest = fragment.trim_start_matches(|c| !is_of_token(c)).strip_prefix(NAME)?;
    // `#tokens` is an anchor on a page.
    (!rest.starts_with(is_of_token)).then_some(rest)
}

/// Removes the `3D` that quoted-printable makes of `=`, if a whole token follows: a token itself may begin with `3D`.
fn without_encoded_equals(rest: &str) -> &str {
    let Some(token) = rest.strip_prefix("=3D") else { return rest };
    let length = token.chars().take_while(|c| is_of_token(*c)).count();
    if length >= LINK_TOKEN_LENGTH { token } else { rest }
}

/// Replaces HTML character references.
fn without_references(address: &str) -> String {
    let references =
        [("&#35;", "#"), ("&#x23;", "#"), ("&num;", "#"), ("&#61;", "="), ("&#x3D;", "="), ("&equals;", "=")];
    references.iter().fold(address.to_owned(), |text, (reference, c)| text.replace(reference, c))
}

const fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Audience, PageInfo};

    const PAGES: Pages = Pages(&[mailed("/reset-password"), mailed("/verify-email"), mailed("/change-email")]);

    const fn mailed(path: &'static str) -> PageInfo {
        PageInfo { path, title: "", audience: Audience::MailedLink, entry: None }
    }

    const TOKEN: &str = "aZ09-_ccccccccccccccccccccccccccccccccccccE";

    fn fragments(of: &[&str]) -> Vec<String> {
        of.iter().map(|text| text.replace("TOKEN", TOKEN)).collect()
    }

    #[test]
    fn a_token_is_taken_out_of_the_fragment() {
        assert_eq!(TOKEN.len(), LINK_TOKEN_LENGTH);
        assert_eq!(link_token(&format!("#token={TOKEN}")).as_deref(), Some(TOKEN));
        assert_eq!(link_token("#token=aZ09-_").as_deref(), Some("aZ09-_"));
    }

    #[test]
    fn text_around_a_token_is_left_out() {
        let behind =
            [".", ")", ",", ">", "\"", "'", "%22", "%E2%80%9D", "»", "*", "_", "__", "-", "%3E%3E", "%20", "\\"];
        let sentences = behind.map(|end| format!("#token={TOKEN}{end}"));
        let others = fragments(&[
            "#token=TOKEN%0A%0AThis%20link",
            "#token=TOKEN)._Thanks",
            "#token=TOKEN&utm_source=mail",
            "#token=TOKEN#token=TOKEN",
            "#token=%20TOKEN",
            "#token=%3CTOKEN%3E",
            "#%20token=TOKEN",
            "##token=TOKEN",
            "#token%3DTOKEN",
            "#token%253DTOKEN%252E",
            "%23token%3DTOKEN",
            "#token: TOKEN",
            "#token=TOKEN%",
            "#token=TOKEN%2",
            "#token=TOKEN%FF%FE",
            "#token=3DTOKEN",
            "#token=3DTOKEN.",
            "#token%3D3DTOKEN",
        ]);
        for fragment in sentences.into_iter().chain(others) {
            assert_eq!(link_token(&fragment).as_deref(), Some(TOKEN), "{fragment}");
        }
    }

    #[test]
    fn a_token_that_was_broken_into_lines_is_put_together() {
        let (start, end) = TOKEN.split_at(20);
        for between in [" ", "%20", "%0D%0A", "%C2%AD", "%E2%80%8B", "%0A%3E%20", "\u{200b}", "%2520"] {
            assert_eq!(link_token(&format!("#token={start}{between}{end}")).as_deref(), Some(TOKEN), "{between:?}");
        }
    }

    #[test]
    fn a_token_may_begin_like_an_encoded_sign() {
        let token = format!("3D{}", &TOKEN[2..]);
        for end in ["", ".", " Thanks", "%22"] {
            assert_eq!(link_token(&format!("#token={token}{end}")), Some(token.clone()), "{end:?}");
        }
    }

    #[test]
    fn a_cut_token_is_known_to_be_cut() {
        assert!(!is_cut(TOKEN));
        assert!(is_cut(&TOKEN[1..]) && is_cut("a"));
    }

    #[test]
    fn a_cut_token_is_recognised_and_an_anchor_on_the_page_is_not() {
        let meant = ["#token=aZ", "#token=", "#token", "#token%3D", "#token."];
        let others = ["#main", "#tokens", "#a-token=abc", "#Token=abc", "", "#", "%23"];
        for (fragment, is_meant) in
            meant.map(|meant| (meant, true)).into_iter().chain(others.map(|other| (other, false)))
        {
            assert_eq!(holds_link_token(fragment), is_meant, "{fragment}");
        }
    }

    #[test]
    fn a_fragment_without_token_characters_gives_no_token() {
        for fragment in ["", "#", "#token", "#token=", "#token=.", "#token=%20", "#Token=abc", "#main"] {
            assert_eq!(link_token(fragment), None, "{fragment:?}");
        }
    }

    #[test]
    fn an_address_that_was_changed_on_its_way_is_restored() {
        for PageInfo { path: page, .. } in PAGES.0 {
            let restored = format!("{page}#token={TOKEN}");
            let changed = [
                "PAGE%23token=TOKEN",
                "PAGE%23token%3DTOKEN",
                "PAGE%2523token%253DTOKEN",
                "PAGE%252523token=TOKEN.",
                "PAGE/%23token=TOKEN",
                "PAGE/#token=TOKEN",
                "PAGE%20%23token=TOKEN",
                "PAGE?utm_source=mail%23token=TOKEN",
                "PAGE?utm_source=mail#token=TOKEN",
                "PAGE%23token=TOKEN?utm_source=mail",
                "PAGE%23token=TOKEN#section",
                "PAGE#token=TOKEN)",
                "PAGE&#35;token=TOKEN",
                "PAGE&#x23;token&#61;TOKEN",
                "PAGE\u{200b}#token=TOKEN",
                "PAGE%E2%80%8B#token=TOKEN",
                "PAGE.#token=TOKEN",
                "PAGE/.#token=TOKEN",
            ];
            for address in fragments(&changed).iter().map(|address| address.replace("PAGE", page)) {
                assert_eq!(restored_address(&address, PAGES).as_ref(), Some(&restored), "{address}");
            }
            assert_eq!(restored_address(&restored, PAGES), None, "nothing to restore");
            assert_eq!(restored_address(&format!("{page}%23token="), PAGES), Some(format!("{page}#token=")));
        }
    }

    #[test]
    fn other_addresses_stay_as_they_are() {
        let others = [
            "/",
            "/login",
            "/login?next=%2Fverify-email%23token%3DTOKEN",
            "/verify-email",
            "/verify-email#main",
            "/verify-email%23main",
            "/no/such/page%23token=TOKEN",
            "//other.test/verify-email%23token=TOKEN",
            "/%2Fother.test%23token=TOKEN",
            "/verify-email%",
        ];
        for address in fragments(&others) {
            assert_eq!(restored_address(&address, PAGES), None, "{address}");
        }
    }
}
