//! What a mailed link holds.

const LONGEST: usize = 128;

/// Whether a fragment is meant to bring a token, good or not.
#[must_use]
pub fn holds_link_token(fragment: &str) -> bool {
    fragment.starts_with("#token")
}

/// The token of a fragment such as `#token=…`, if it can be one. It travels in the fragment because no server, log or
/// referrer sees that.
#[must_use]
pub fn link_token(fragment: &str) -> Option<&str> {
    let token = fragment.strip_prefix("#token=")?;
    let is_plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    (is_plain && (1..=LONGEST).contains(&token.len())).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_out_of_the_fragment() {
        assert_eq!(link_token("#token=aZ09-_"), Some("aZ09-_"));
    }

    #[test]
    fn a_cut_token_is_meant_as_one_and_a_place_on_the_page_is_not() {
        for (fragment, is_meant) in
            [("#token=aZ", true), ("#token=", true), ("#token", true), ("#main", false), ("", false)]
        {
            assert_eq!(holds_link_token(fragment), is_meant, "{fragment}");
        }
    }

    #[test]
    fn what_can_be_no_token_is_none() {
        for fragment in ["", "#", "#token", "#token=", "token=abc", "#Token=abc", "#token=a b", "#token=a&next=//e.com"]
        {
            assert_eq!(link_token(fragment), None, "{fragment:?}");
        }
        assert_eq!(link_token(&format!("#token={}", "a".repeat(LONGEST + 1))), None);
    }
}
