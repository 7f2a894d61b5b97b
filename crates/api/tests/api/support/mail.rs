//! The mails that an API under test has written to a folder.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;

/// A sent mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The whole message, as it would be transmitted.
    pub source: String,
    pub to: String,
    pub subject: String,
    /// The plain text.
    pub text: String,
    pub html: String,
}

impl Mail {
    pub fn parse(source: &str) -> Self {
        let (head, body) = source.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ");
        let header = |name: &str| {
            let lines = head.split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let values: Vec<_> = lines.collect();
            assert_eq!(values.len(), 1, "{name} in {head}");
            decoded_words(values[0])
        };
        let parts: Vec<_> = body.split("Content-Type: ").collect();
        let part = |kind: &str| {
            let found = parts.iter().find(|part| part.starts_with(kind)).unwrap();
            let (head, text) = found.split_once("\r\n\r\n").unwrap();
            let text = text.split("\r\n--").next().unwrap();
            match head.split_once("Content-Transfer-Encoding: ").unwrap().1 {
                "7bit" => text.replace("\r\n", "\n"),
                "base64" => from_base64(text),
                "quoted-printable" => from_quoted_printable(text),
                other => panic!("{other} in {head}"),
            }
        };
        Self {
            to: header("To"),
            subject: header("Subject"),
            text: part("text/plain"),
            html: part("text/html"),
            source: source.to_owned(),
        }
    }

    /// The token in the mail's link.
    pub fn token(&self) -> String {
        let link = self.text.split_once("#token=").unwrap_or_else(|| panic!("no link in {}", self.text)).1;
        link.split_whitespace().next().unwrap().to_owned()
    }
}

/// The value of a header, which may have encoded words (RFC 2047).
fn decoded_words(value: &str) -> String {
    let word = |word: &str| match word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?=")) {
        Some(encoded) => (from_base64(encoded), true),
        None => (word.to_owned(), false),
    };
    let mut decoded = String::new();
    let mut follows_encoded = true;
    for (text, is_encoded) in value.split(' ').map(word) {
        // A blank between two encoded words is not part of the text.
        decoded += if follows_encoded && (is_encoded || decoded.is_empty()) { "" } else { " " };
        decoded += &text;
        follows_encoded = is_encoded;
    }
    decoded
}

fn from_base64(text: &str) -> String {
    let bytes = STANDARD.decode(text.split_whitespace().collect::<String>()).unwrap();
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

fn from_quoted_printable(text: &str) -> String {
    let mut parts = text.replace("=\r\n", "").replace("\r\n", "\n").into_bytes().into_iter();
    let mut bytes = Vec::new();
    while let Some(byte) = parts.next() {
        let escaped = (byte == b'=').then(|| [parts.next().unwrap(), parts.next().unwrap()]);
        let value = escaped.map(|hex| u8::from_str_radix(str::from_utf8(&hex).unwrap(), 16).unwrap());
        bytes.push(value.unwrap_or(byte));
    }
    String::from_utf8(bytes).unwrap()
}

/// Reads and removes the mails in the folder, the oldest first.
pub fn take(folder: &Path) -> Vec<Mail> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let take = |file: std::path::PathBuf| {
        let source = std::fs::read_to_string(&file).unwrap();
        assert_eq!(file.extension().unwrap(), "eml", "{}", file.display());
        std::fs::remove_file(file).unwrap();
        Mail::parse(&source)
    };
    files.into_iter().map(take).collect()
}
