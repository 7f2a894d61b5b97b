//! Why something was not done with a file.

use crate::error_chain::error_chain;
use std::fmt;
use std::time::Duration;

/// What was not done, with which file, and why. The text holds neither the storage's secret nor its key id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {operation} {name}: {problem}")]
pub struct FileError {
    pub operation: Operation,
    /// The file's name, or the folder's for a list.
    pub name: String,
    pub problem: FileProblem,
}

impl FileError {
    pub(super) fn new(operation: Operation, name: &str, problem: FileProblem) -> Self {
        Self { operation, name: name.to_owned(), problem }
    }
}

/// What can be done with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Write,
    Read,
    Delete,
    List,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Delete => "delete",
            Self::List => "list",
        })
    }
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    #[error("there is no such file")]
    Missing,
    #[error("the storage does not answer within {} s", .0.as_secs())]
    TooSlow(Duration),
    /// Away, full, broken, or it refuses us: as it said it itself.
    #[error("{0}")]
    Failed(String),
}

impl From<object_store::Error> for FileProblem {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            error => Self::Failed(without_xml(&error_chain(&error))),
        }
    }
}

impl From<std::io::Error> for FileProblem {
    /// What a store's error becomes on its way through a writer.
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<object_store::Error>() {
            Ok(inner) => inner.into(),
            Err(error) => Self::Failed(without_xml(&error_chain(&error))),
        }
    }
}

/// S3 explains a refusal in XML, which repeats the key's id and what was signed; its `Code` says enough.
fn without_xml(text: &str) -> String {
    let Some((before, xml)) = text.split_once('<') else { return text.to_owned() };
    let code = xml.split_once("<Code>").and_then(|(_, rest)| rest.split_once('<')).map(|(code, _)| code);
    format!("{}{}", before.trim_end(), code.map_or_else(String::new, |code| format!(" {code}")))
}

#[cfg(test)]
mod tests {
    use super::without_xml;

    #[test]
    fn of_what_s3_says_only_the_code_is_repeated() {
        let said = "403 Forbidden: <?xml?><Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error>";
        assert_eq!(without_xml(said), "403 Forbidden: SignatureDoesNotMatch");
        assert_eq!(without_xml("502: <html>nginx</html>"), "502:");
        assert_eq!(without_xml("connection refused"), "connection refused");
    }
}
