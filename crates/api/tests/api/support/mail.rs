//! The mails that an API under test has written to a folder.

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
        let header = |name: &str| {
            let lines = head.split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let values: Vec<_> = lines.collect();
            assert_eq!(values.len(), 1, "{name} in {head}");
            values[0].to_owned()
        };
        let parts: Vec<_> = body.split("Content-Type: ").collect();
        let part = |kind: &str| {
            let found = parts.iter().find(|part| part.starts_with(kind)).unwrap();
            let (head, text) = found.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("Content-Transfer-Encoding: 7bit"), "{head}");
            text.split("\r\n--").next().unwrap().replace("\r\n", "\n")
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
