//! Writes an archive: lines of JSON, compressed by zstd, with a checksum, and optionally encrypted.

use super::checksum::ChecksumWriter;
use super::encryption::ArchiveOutput;
use super::lines::{self, Header, LINE_MAX_BYTES, TableHead, Trailer};
use crate::store::layouts::Layout;
use age::x25519::Recipient;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{Error, Result, Write};

/// The compression level of zstd: its default, fast and small.
const LEVEL: i32 = 3;

/// Writes an archive, row by row.
pub(super) struct ArchiveWriter<W: Write> {
    output: zstd::Encoder<'static, ChecksumWriter<ArchiveOutput<W>>>,
    rows: BTreeMap<String, u64>,
}

impl<W: Write> ArchiveWriter<W> {
    pub(super) fn new(output: W, recipients: &[Recipient], header: &Header) -> Result<Self> {
        let output = ChecksumWriter::new(ArchiveOutput::new(output, recipients)?);
        let mut writer = Self { output: zstd::Encoder::new(output, LEVEL)?, rows: BTreeMap::new() };
        writer.line(header)?;
        Ok(writer)
    }

    /// Begins a table.
    pub(super) fn table(&mut self, table: &Layout, last_id: Option<i64>) -> Result<()> {
        self.rows.insert(table.name.to_owned(), 0);
        self.line(&TableHead { table: table.name.to_owned(), last_id, columns: table.columns.clone() })
    }

    /// Writes a row of `table`, after checking that it can be read again.
    pub(super) fn row(&mut self, table: &Layout, json: &str) -> Result<()> {
        let refused = |problem| Error::other(format!("table {}: {problem}", table.name));
        let row = lines::parse_row(json.as_bytes(), &table.columns).map_err(refused)?;
        *self.rows.entry(table.name.to_owned()).or_default() += 1;
        self.line(&row)
    }

    /// Ends the archive and returns the number of its rows.
    pub(super) fn finish(mut self) -> Result<u64> {
        let rows = self.rows.values().sum();
        let trailer = Trailer { rows: std::mem::take(&mut self.rows) };
        self.line(&trailer)?;
        self.output.finish()?.finish()?.finish()?.flush()?;
        Ok(rows)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        if line.len() > LINE_MAX_BYTES {
            return Err(Error::other("a row is too long"));
        }
        self.output.write_all(&line)
    }
}
