//! Reads an archive and validates all of it.

use super::checksum::ChecksumReader;
use super::encryption::{self, Identities};
use super::error::ArchiveError;
use super::lines::{self, ArchiveLine, Header, LINE_MAX_BYTES, RowValues, TableHead, Trailer};
use crate::store::backup::Coverage;
use crate::store::migrations::newest_version;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor, Read};

/// Maximum window that a decoder keeps in memory, as a power of two: four times that of Latchkey's archives.
const WINDOW_LOG_MAX: u32 = 23;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Maximum length of the first line of a file that is recognized as a backup, bytes.
const HEADER_MAX_BYTES: u64 = 4096;

/// An item of an archive.
#[derive(Debug)]
pub(super) enum Item {
    Table(TableHead),
    /// A row of the preceding table.
    Row(RowValues),
}

/// Reads an archive, line by line.
pub(super) struct ArchiveReader<'a> {
    input: Box<dyn BufRead + 'a>,
    line: Vec<u8>,
    coverage: &'a Coverage,
    header: Header,
    tables: Vec<TableHead>,
    rows: BTreeMap<String, u64>,
}

impl<'a> ArchiveReader<'a> {
    pub(super) fn open(
        mut input: impl Read + 'a,
        identities: &Identities,
        coverage: &'a Coverage,
    ) -> Result<Self, ArchiveError> {
        let mut magic = Vec::new();
        (&mut input).take(4).read_to_end(&mut magic)?;
        let whole = BufReader::new(Cursor::new(magic.clone()).chain(input));
        let input: Box<dyn Read> = match &magic {
            magic if magic == encryption::MAGIC => Box::new(identities.decrypt(whole)?),
            magic if *magic == ZSTD_MAGIC => Box::new(whole),
            _ => return Err(ArchiveError::Foreign),
        };
        let mut unpacked = zstd::Decoder::new(ChecksumReader::new(input))?;
        unpacked.window_log_max(WINDOW_LOG_MAX)?;
        let mut input: Box<dyn BufRead> = Box::new(BufReader::new(unpacked));
        let mut line = Vec::new();
        read_line(&mut input, &mut line)?;
        let header = parse_header(&line, coverage)?;
        Ok(Self { input, coverage, header, line, tables: Vec::new(), rows: BTreeMap::new() })
    }

    pub(super) const fn header(&self) -> &Header {
        &self.header
    }

    /// The next table or row; `None` at the end, if the archive is complete and its checksum matches.
    pub(super) fn next(&mut self) -> Result<Option<Item>, ArchiveError> {
        if !read_line(&mut self.input, &mut self.line)? {
            return Err(ArchiveError::Damaged("its end is missing".to_owned()));
        }
        if self.line.starts_with(b"[") {
            return self.row().map(|row| Some(Item::Row(row)));
        }
        match serde_json::from_slice(&self.line).map_err(|_| damaged("a line has an unknown form"))? {
            ArchiveLine::Table(head) => self.table(head).map(|head| Some(Item::Table(head))),
            ArchiveLine::Trailer(trailer) => self.end(&trailer).map(|()| None),
        }
    }

    fn row(&mut self) -> Result<RowValues, ArchiveError> {
        let head = self.tables.last().ok_or_else(|| damaged("a row belongs to no table"))?;
        *self.rows.entry(head.table.clone()).or_default() += 1;
        lines::parse_row(&self.line, &head.columns).map_err(ArchiveError::Damaged)
    }

    /// An older archive may lack tables and columns; one with tables or columns that the program does not know is refused.
    fn table(&mut self, head: TableHead) -> Result<TableHead, ArchiveError> {
        let known = self.coverage.tables.iter().find(|known| known.name == head.table);
        let known = known.ok_or_else(|| damaged(&format!("it has an unknown table, {}", head.table)))?;
        if let Some(column) = head.columns.iter().find(|column| !known.columns.contains(column)) {
            return Err(damaged(&format!("its table {} has an unknown column, {}", head.table, column.name)));
        }
        if self.rows.insert(head.table.clone(), 0).is_some() {
            return Err(damaged(&format!("it has the table {} twice", head.table)));
        }
        self.tables.push(head.clone());
        Ok(head)
    }

    fn end(&mut self, trailer: &Trailer) -> Result<(), ArchiveError> {
        if trailer.rows != self.rows {
            return Err(damaged("rows are missing"));
        }
        // The checksum is checked at the end of the input.
        if read_line(&mut self.input, &mut self.line)? { Err(damaged("something follows its end")) } else { Ok(()) }
    }

    /// Table → number of rows read so far.
    pub(super) fn into_rows(self) -> BTreeMap<String, u64> {
        self.rows
    }
}

/// What a file's beginning shows that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// A backup that is not encrypted, possibly an older or damaged one.
    Plain,
    /// The same, encrypted.
    Encrypted,
    /// An encrypted file without the mark, which earlier releases did not write.
    Unmarked,
    Foreign,
}

impl Beginning {
    pub(super) fn of(mut input: impl Read) -> std::io::Result<Self> {
        let mut start = Vec::new();
        (&mut input).take(encryption::START.len() as u64).read_to_end(&mut start)?;
        Ok(match start.as_slice() {
            start if start == encryption::START => Self::Encrypted,
            start if start.starts_with(encryption::FIRST_LINE) => Self::Unmarked,
            _ if has_header(Cursor::new(&start).chain(input)) => Self::Plain,
            _ => Self::Foreign,
        })
    }
}

fn has_header(input: impl Read) -> bool {
    let header = || {
        let mut unpacked = zstd::Decoder::new(input).ok()?;
        unpacked.window_log_max(WINDOW_LOG_MAX).ok()?;
        let mut line = Vec::new();
        BufReader::new(unpacked).take(HEADER_MAX_BYTES).read_until(b'\n', &mut line).ok()?;
        serde_json::from_slice::<serde_json::Value>(&line).ok()
    };
    header().is_some_and(|header| header["format"] == lines::FORMAT)
}

fn damaged(what: &str) -> ArchiveError {
    ArchiveError::Damaged(what.to_owned())
}

/// Reads a line without its line feed. Returns `false` at the end of the input.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, ArchiveError> {
    line.clear();
    let read = input.take(LINE_MAX_BYTES as u64).read_until(b'\n', line)?;
    match line.pop() {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) if read == LINE_MAX_BYTES => Err(damaged("a line is too long")),
        Some(_) => Err(damaged("its end is missing")),
    }
}

fn parse_header(line: &[u8], coverage: &Coverage) -> Result<Header, ArchiveError> {
    let foreign = |_| ArchiveError::Foreign;
    let any: serde_json::Value = serde_json::from_slice(line).map_err(foreign)?;
    if any["format"] != lines::FORMAT {
        return Err(ArchiveError::Foreign);
    }
    if any["version"] != lines::FORMAT_VERSION {
        return Err(ArchiveError::Newer(format!("its format is {}", any["version"])));
    }
    let header: Header = serde_json::from_value(any).map_err(foreign)?;
    if header.schema > newest_version() {
        return Err(ArchiveError::Newer(format!("its schema is {}", header.schema)));
    }
    let known = coverage.migrations.newest_of_features();
    match header.features.iter().find(|(name, version)| known.get(*name).is_none_or(|known| *version > known)) {
        Some((name, version)) => Err(ArchiveError::Newer(format!("it has {version} of the feature {name}"))),
        None => Ok(header),
    }
}
