//! Table `database_identity`: what distinguishes this database from others. A migration has chosen it at random, and no backup
//! contains it, so a restored copy is another database.

use super::any::AnyConnection;
use super::schema::database_identity;
use diesel::prelude::*;
use std::fmt;
use std::str::FromStr;

/// The number of hexadecimal digits.
const DIGITS: usize = 12;

/// A random number of 48 bits, written in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseId(u64);

impl fmt::Display for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$x}", self.0)
    }
}

impl FromStr for DatabaseId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_id = text.len() == DIGITS && text.bytes().all(is_digit);
        let id = u64::from_str_radix(text, 16).ok().filter(|_| is_id);
        id.map(Self).ok_or(())
    }
}

/// The identity of this database.
pub fn get(connection: &mut AnyConnection) -> QueryResult<DatabaseId> {
    let id: String = database_identity::table.select(database_identity::id).first(connection)?;
    id.parse().map_err(|()| diesel::result::Error::DeserializationError("database_identity has no valid id".into()))
}
