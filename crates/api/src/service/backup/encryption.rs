//! Encryption to `age` keys (<https://age-encryption.org/v1>): the machine that makes a backup need not be able to read it.

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
/// The first line of an encrypted file.
pub(super) const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";
/// The first two lines of an encrypted backup. The second one distinguishes it from other encrypted files.
pub(super) const START: &[u8] = b"age-encryption.org/v1\n-> Latchkey backup\n";

/// A recipient that opens nothing, but marks the file as a backup: programs skip recipients of unknown kinds, as the format requires.
struct BackupMark;

impl age::Recipient for BackupMark {
    fn wrap_file_key(&self, _: &FileKey) -> std::result::Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let mark = Stanza { tag: "Latchkey".to_owned(), args: vec!["backup".to_owned()], body: Vec::new() };
        Ok((vec![mark], HashSet::new()))
    }
}

/// The output of an archive, encrypted or not.
pub(super) enum ArchiveOutput<W: Write> {
    Plain(W),
    Encrypted(StreamWriter<W>),
}

impl<W: Write> ArchiveOutput<W> {
    pub(super) fn new(output: W, recipients: &[Recipient]) -> Result<Self> {
        if recipients.is_empty() {
            return Ok(Self::Plain(output));
        }
        let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let recipients = std::iter::once(&BackupMark as &dyn age::Recipient).chain(recipients);
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(std::io::Error::other)?;
        encryptor.wrap_output(output).map(Self::Encrypted)
    }

    pub(super) fn finish(self) -> Result<W> {
        match self {
            Self::Plain(output) => Ok(output),
            Self::Encrypted(stream) => stream.finish(),
        }
    }
}

impl<W: Write> Write for ArchiveOutput<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Encrypted(stream) => stream.flush(),
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
    /// Reads the keys of a file, as `age-keygen` writes it; without a file there are none.
    ///
    /// # Errors
    /// If the file cannot be read or contains no keys.
    pub fn read(file: Option<&Path>) -> std::result::Result<Self, String> {
        let Some(file) = file else { return Ok(Self(Vec::new())) };
        let refused = |what: &str| format!("the file of --identity, {}, {what}", file.display());
        let keys = std::fs::File::open(file)
            .and_then(|file| IdentityFile::from_buffer(std::io::BufReader::new(file)))
            .map_err(|error| refused(&format!("cannot be used: {error}")))?
            .into_identities()
            .map_err(|error| refused(&format!("cannot be used: {error}")))?;
        if keys.is_empty() { Err(refused("holds no key")) } else { Ok(Self(keys)) }
    }

    /// Decrypts a file that was encrypted to one of the keys.
    pub(super) fn decrypt<R: BufRead>(&self, input: R) -> std::result::Result<impl Read + use<R>, ArchiveError> {
        if self.0.is_empty() {
            return Err(ArchiveError::Encrypted);
        }
        let keys = self.0.iter().map(|key| key.as_ref() as &dyn Identity);
        let opened = Decryptor::new_buffered(input).and_then(|encrypted| encrypted.decrypt(keys));
        opened.map_err(|error| match error {
            DecryptError::NoMatchingKeys => ArchiveError::WrongIdentity,
            DecryptError::Io(error) => error.into(),
            other => ArchiveError::Damaged(other.to_string()),
        })
    }
}
