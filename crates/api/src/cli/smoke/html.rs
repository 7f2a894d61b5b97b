//! The tags of a page: a parser for the HTML that Trunk writes, not for HTML in general.

/// A start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl Tag<'_> {
    /// An attribute's value; empty if there is none.
    pub(super) fn value(&self, name: &str) -> &str {
        self.attributes.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// All start tags, comments aside.
pub(super) fn tags(page: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        rest = if let Some(comment) = after.strip_prefix("!--") {
            comment.split_once("-->").map_or("", |(_, after)| after)
        } else {
            let (tag, after) = tag(after);
            found.extend(tag);
            after
        };
    }
    found
}

fn tag(text: &str) -> (Option<Tag<'_>>, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    if name.is_empty() {
        return (None, rest);
    }
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return (Some(Tag { name, attributes }), rest);
        }
        let (attribute, after) = attribute(rest);
        attributes.push(attribute);
        rest = after;
    }
}

/// `name`, `name=value`, `name="value"` or `name='value'`, and what follows.
fn attribute(text: &str) -> ((&str, &str), &str) {
    let end = text.find(|c: char| c.is_whitespace() || "=>/".contains(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end.max(1).min(text.len()));
    let Some(value) = rest.strip_prefix('=') else { return ((name, ""), rest) };
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            let (value, rest) = quoted.split_once(quote).unwrap_or((quoted, ""));
            return ((name, value), rest);
        }
    }
    let (value, rest) = value.split_at(value.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(value.len()));
    ((name, value), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_with_their_attributes() {
        let page = "<!doctype html><!-- <meta name=\"not\"> --><meta name='program' data-js=\"/a.js\" data-wasm=/a.wasm />\
                    <script type=module\n src=\"/x>y.js\" async></script>";
        let found = tags(page);
        let names: Vec<_> = found.iter().map(|tag| tag.name).collect();
        assert_eq!(names, ["meta", "script"]);
        let meta = &found[0];
        let script = &found[1];
        assert_eq!(
            (meta.value("name"), meta.value("data-js"), meta.value("data-wasm")),
            ("program", "/a.js", "/a.wasm")
        );
        assert_eq!((script.value("src"), script.value("TYPE"), script.value("async")), ("/x>y.js", "module", ""));
    }

    #[test]
    fn no_text_is_too_broken() {
        for text in ["", "<", "<!--", "<a", "<a =", "<a b='", "</", "< a>", "<a ä=ö", "<é>"] {
            tags(text);
        }
    }
}
