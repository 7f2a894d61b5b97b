//! Why an operation on a file failed.

use crate::error_chain::error_chain;
use std::fmt;
use std::time::Duration;

/// A failed operation, its file and the reason. The text contains neither the storage's secret nor its key id.
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

/// An operation on files.
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

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    #[error("there is no such file")]
    Missing,
    #[error("the storage did not respond within {} s", .0.as_secs())]
    TooSlow(Duration),
    /// The storage is unreachable, full or broken, or refuses the request. The text is its own message.
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
    /// Unwraps an `object_store` error that a writer has wrapped.
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<object_store::Error>() {
            Ok(inner) => inner.into(),
            Err(error) => Self::Failed(without_xml(&error_chain(&error))),
        }
    }
}

/// Replaces the XML in which S3 explains a refusal with its `Code`: it repeats the key's id and the signed text.
fn without_xml(text: &str) -> String {
    let Some((before, xml)) = text.split_once('<') else { return text.to_owned() };
    let code = xml.split_once("<Code>").and_then(|(_, rest)| rest.split_once('<')).map(|(code, _)| code);
    format!("{}{}", before.trim_end(), code.map_or_else(String::new, |code| format!(" {code}")))
}

#[cfg(test)]
mod tests {
    use super::without_xml;

    #[test]
    fn only_the_code_of_an_s3_error_is_reported() {
        let error = "403 Forbidden: <?xml?><Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error>";
        assert_eq!(without_xml(error), "403 Forbidden: SignatureDoesNotMatch");
        assert_eq!(without_xml("502: <html>nginx</html>"), "502:");
        assert_eq!(without_xml("connection refused"), "connection refused");
    }
}
