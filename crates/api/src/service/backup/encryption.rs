//! Encryption to the keys of `age` (<https://age-encryption.org/v1>): whoever makes a backup need not be able to read it.

use super::error::ArchiveError;
use age::stream::StreamWriter;
use age::x25519::Recipient;
use age::{DecryptError, Decryptor, EncryptError, Identity, IdentityFile};
use age_core::format::{FileKey, Stanza};
use std::collections::HashSet;
use std::io::{BufRead, Read, Result, Write};
use std::path::Path;

/// How an encrypted file begins.
pub(super) const MAGIC: &[u8; 4] = b"age-";
/// Its whole first line.
pub(super) const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";
/// The first two lines of a backup. Without the second one nobody could tell it from any other encrypted file.
pub(super) const START: &[u8] = b"age-encryption.org/v1\n-> Latchkey backup\n";

/// A recipient that opens nothing: programs pass over one of a kind that they do not know, as the format asks them to.
struct BackupMark;

impl age::Recipient for BackupMark {
    fn wrap_file_key(&self, _: &FileKey) -> std::result::Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let mark = Stanza { tag: "Latchkey".to_owned(), args: vec!["backup".to_owned()], body: Vec::new() };
        Ok((vec![mark], HashSet::new()))
    }
}

/// Encrypts, or does not.
pub(super) enum Envelope<W: Write> {
    Open(W),
    Closed(StreamWriter<W>),
}

impl<W: Write> Envelope<W> {
    pub(super) fn new(output: W, recipients: &[Recipient]) -> Result<Self> {
        if recipients.is_empty() {
            return Ok(Self::Open(output));
        }
        let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let recipients = std::iter::once(&BackupMark as &dyn age::Recipient).chain(recipients);
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(std::io::Error::other)?;
        encryptor.wrap_output(output).map(Self::Closed)
    }

    pub(super) fn finish(self) -> Result<W> {
        match self {
            Self::Open(output) => Ok(output),
            Self::Closed(stream) => stream.finish(),
        }
    }
}

impl<W: Write> Write for Envelope<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Open(output) => output.write(bytes),
            Self::Closed(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Open(output) => output.flush(),
            Self::Closed(stream) => stream.flush(),
        }
    }
}

/// Keys that open backups.
pub struct Identities(Vec<Box<dyn Identity + Send + Sync>>);

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}

impl Identities {
    /// Those of a file, as `age-keygen` writes it; none without a file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn read(file: Option<&Path>) -> std::result::Result<Self, String> {
        let Some(file) = file else { return Ok(Self(Vec::new())) };
        let refused = |what: &str| format!("the file of --identity, {}, {what}", file.display());
        let keys = IdentityFile::from_file(file.to_string_lossy().into_owned())
            .map_err(|error| refused(&format!("cannot be used: {error}")))?
            .into_identities()
            .map_err(|error| refused(&format!("cannot be used: {error}")))?;
        if keys.is_empty() { Err(refused("holds no key")) } else { Ok(Self(keys)) }
    }

    /// Opens what was encrypted to one of them.
    pub(super) fn decrypt<R: BufRead>(&self, input: R) -> std::result::Result<impl Read + use<R>, ArchiveError> {
        if self.0.is_empty() {
            return Err(ArchiveError::Encrypted);
        }
        let keys = self.0.iter().map(|key| key.as_ref() as &dyn Identity);
        let opened = Decryptor::new_buffered(input).and_then(|closed| closed.decrypt(keys));
        opened.map_err(|error| match error {
            DecryptError::NoMatchingKeys => ArchiveError::WrongIdentity,
            DecryptError::Io(error) => error.into(),
            other => ArchiveError::Damaged(other.to_string()),
        })
    }
}
