//! The seal at the end of an archive: the SHA-256 of every byte before it, so that nothing that was changed or cut off
//! passes. It is a skippable frame of zstd (RFC 8878, section 3.1.2), so `zstd` itself unpacks what stands before it.

use aws_lc_rs::digest::{Context, SHA256};
use std::io::{Error, ErrorKind, Read, Result, Write};

/// The frame's magic number and the length of what it holds, both in little endian.
const HEAD: [u8; 8] = [0x5C, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
const LENGTH: usize = HEAD.len() + 32;
/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

fn seal(digest: Context) -> Vec<u8> {
    [&HEAD, digest.finish().as_ref()].concat()
}

/// Passes bytes on and writes the seal behind them.
pub(super) struct SealingWriter<W> {
    output: W,
    digest: Context,
}

impl<W: Write> SealingWriter<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, digest: Context::new(&SHA256) }
    }

    pub(super) fn finish(mut self) -> Result<W> {
        self.output.write_all(&seal(self.digest))?;
        Ok(self.output)
    }
}

impl<W: Write> Write for SealingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = self.output.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        self.output.flush()
    }
}

/// Gives what stands before the seal. Its end is an error unless the seal is there and right.
pub(super) struct SealedReader<R> {
    input: R,
    digest: Option<Context>,
    /// Read and not given yet: the last of it may be the seal.
    held: Vec<u8>,
    given: usize,
}

impl<R: Read> SealedReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, digest: Some(Context::new(&SHA256)), held: Vec::new(), given: 0 }
    }

    /// Reads on; `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        self.held.drain(..self.given);
        self.given = 0;
        let before = self.held.len();
        self.held.resize(before + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.held[before..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.held.truncate(before + read.as_ref().map_or(0, |read| *read));
        read.map(|read| read > 0)
    }

    fn check(&mut self) -> Result<()> {
        // Without the digest it was checked before.
        let Some(digest) = self.digest.take() else { return Ok(()) };
        let rest = &self.held[self.given..];
        if rest.len() < LENGTH || !rest.starts_with(&HEAD) {
            return Err(Error::new(ErrorKind::UnexpectedEof, "its end is missing"));
        }
        if seal(digest) != rest {
            return Err(Error::new(ErrorKind::InvalidData, "its checksum is another one"));
        }
        Ok(())
    }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.held.len() - self.given <= LENGTH {
            if !self.fill()? {
                return self.check().map(|()| 0);
            }
        }
        let count = buffer.len().min(self.held.len() - self.given - LENGTH);
        let bytes = &self.held[self.given..self.given + count];
        buffer[..count].copy_from_slice(bytes);
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
        self.given += count;
        Ok(count)
    }
}
