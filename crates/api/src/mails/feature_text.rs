//! The subject and the text of a feature's mail.

use super::parts::{FrontEnd, MailPart, link, text};

/// Longest subject, characters. A mail server accepts lines of at most 998 bytes.
const SUBJECT_MAX_LENGTH: usize = 200;

/// The subject and the text of a feature's mail. They may hold any value: none becomes a header, an element of HTML, or a link to
/// another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    subject: String,
    parts: Vec<TextPart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TextPart {
    Paragraph(String),
    Link { label: String, path: String },
}

impl MailText {
    /// A mail with this subject, of which at most 200 characters are sent, in one line.
    pub fn new(subject: impl AsRef<str>) -> Self {
        let subject = subject.as_ref().chars().map(|c| if breaks_line(c) { ' ' } else { c });
        Self { subject: subject.take(SUBJECT_MAX_LENGTH).collect(), parts: Vec::new() }
    }

    /// Adds a paragraph, which may have several lines.
    #[must_use]
    pub fn paragraph(mut self, text: impl AsRef<str>) -> Self {
        let lines = text.as_ref().replace("\r\n", "\n").replace('\r', "\n");
        let text = lines.chars().map(|c| if c != '\n' && breaks_line(c) { ' ' } else { c }).collect();
        self.parts.push(TextPart::Paragraph(text));
        self
    }

    /// Adds a link to a page of the front end, such as `/bookmarks`.
    #[must_use]
    pub fn link(mut self, label: impl Into<String>, path: impl Into<String>) -> Self {
        self.parts.push(TextPart::Link { label: label.into(), path: path.into() });
        self
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) fn parts(&self, front_end: FrontEnd<'_>) -> Vec<MailPart> {
        let part = |part: &TextPart| match part {
            TextPart::Paragraph(paragraph) => text(paragraph),
            TextPart::Link { label, path } => link(label, front_end.page_of_any(path)),
        };
        self.parts.iter().map(part).collect()
    }
}

/// Control characters, and the line and paragraph separators of Unicode.
fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::{FrontEnd, MailPart, MailText, SUBJECT_MAX_LENGTH};

    fn link_to(path: &str) -> String {
        let parts = MailText::new("").link("Open", path).parts(FrontEnd::at("https://app.example.com/base"));
        let [MailPart::Link { url, .. }] = parts.as_slice() else { panic!("{path}: not one link") };
        url.clone()
    }

    #[test]
    fn a_link_leads_to_the_front_end_whatever_its_path_is() {
        assert_eq!(link_to("/notes?sort=new#first"), "https://app.example.com/base/notes?sort=new#first");
        assert_eq!(link_to("/notes/a b\n\u{e4}\"<"), "https://app.example.com/base/notes/a%20b%C3%A4%22%3C");
        for path in [
            "//evil.example/",
            "https://evil.example/",
            "@evil.example",
            ".evil.example",
            ":443@evil.example",
            "\\\\evil.example\\",
            "../..//evil.example",
            "javascript:alert(1)",
            "\t//evil.example",
            "",
        ] {
            assert!(link_to(path).starts_with("https://app.example.com/"), "{path}: {}", link_to(path));
        }
    }

    #[test]
    fn a_subject_is_one_line_of_a_bounded_length() {
        let subject = MailText::new(format!("a\r\nBcc: b\0\u{85}\u{2028}{}", "c".repeat(1_000)));
        assert!(subject.subject().starts_with("a  Bcc: b   c"), "{}", subject.subject());
        assert_eq!(subject.subject().chars().count(), SUBJECT_MAX_LENGTH);
    }
}
