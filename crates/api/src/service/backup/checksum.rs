//! The checksum at the end of an archive: the SHA-256 of every byte before it, which detects changed and truncated files. It is in a
//! skippable frame of zstd (RFC 8878, section 3.1.2), so `zstd` itself can unpack the archive.

use aws_lc_rs::digest::{Context, SHA256};
use std::io::{Error, ErrorKind, Read, Result, Write};

/// The frame's magic number and the length of its content, both in little endian.
const HEAD: [u8; 8] = [0x5C, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
const LENGTH: usize = HEAD.len() + 32;
/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;

fn trailer(digest: Context) -> Vec<u8> {
    [&HEAD, digest.finish().as_ref()].concat()
}

/// Passes bytes on and appends the checksum.
pub(super) struct ChecksumWriter<W> {
    output: W,
    digest: Context,
}

impl<W: Write> ChecksumWriter<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, digest: Context::new(&SHA256) }
    }

    pub(super) fn finish(mut self) -> Result<W> {
        self.output.write_all(&trailer(self.digest))?;
        Ok(self.output)
    }
}

impl<W: Write> Write for ChecksumWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = self.output.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        self.output.flush()
    }
}

/// Returns the bytes before the checksum. It is an error if the input does not end with the right one.
pub(super) struct ChecksumReader<R> {
    input: R,
    digest: Option<Context>,
    /// Bytes that were read from the input; the last of them may be the checksum.
    buffered: Vec<u8>,
    /// How many of them were returned already.
    returned: usize,
}

impl<R: Read> ChecksumReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, digest: Some(Context::new(&SHA256)), buffered: Vec::new(), returned: 0 }
    }

    /// Reads the next chunk. Returns `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        self.buffered.drain(..self.returned);
        self.returned = 0;
        let before = self.buffered.len();
        self.buffered.resize(before + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.buffered[before..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffered.truncate(before + read.as_ref().map_or(0, |read| *read));
        read.map(|read| read > 0)
    }

    fn check(&mut self) -> Result<()> {
        // Without a digest it was checked before.
        let Some(digest) = self.digest.take() else { return Ok(()) };
        let rest = &self.buffered[self.returned..];
        if rest.len() < LENGTH || !rest.starts_with(&HEAD) {
            return Err(Error::new(ErrorKind::UnexpectedEof, "its end is missing"));
        }
        if trailer(digest) != rest {
            return Err(Error::new(ErrorKind::InvalidData, "its checksum does not match"));
        }
        Ok(())
    }
}

impl<R: Read> Read for ChecksumReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.buffered.len() - self.returned <= LENGTH {
            if !self.fill()? {
                return self.check().map(|()| 0);
            }
        }
        let count = buffer.len().min(self.buffered.len() - self.returned - LENGTH);
        let bytes = &self.buffered[self.returned..self.returned + count];
        buffer[..count].copy_from_slice(bytes);
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
        self.returned += count;
        Ok(count)
    }
}
