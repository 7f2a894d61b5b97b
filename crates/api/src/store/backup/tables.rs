//! Which tables there are and what their columns hold, taken from `schema.rs`.

use crate::store::schema;
use crate::store::types::{Bool, Bytea, Int8, Nullable, Text, Timestamptz, Uuid};
use serde::{Deserialize, Serialize};

/// Tables that no backup holds. A restored database records its own backups, not of another one's; how many mails an
/// address got in the hour before the copy says nothing about the hour after it; and the responses that a request may get
/// again are those of the sessions that a restore ends.
pub const LEFT_OUT: [&str; 3] = ["last_backup", "sent_mails", "completed_steps"];

/// What a column holds, whatever the database calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Integer,
    Text,
    Boolean,
    Instant,
    Uuid,
    Bytes,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// A table and its columns, in the order in which its rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub columns: Vec<Column>,
}

impl Table {
    /// Whether the database counts the rows' ids.
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        self.columns.iter().any(|column| column.name == "id" && column.kind == Kind::Integer)
    }
}

macro_rules! tables {
    ($($table:ident),+ $(,)?) => {
        /// All tables but those that are [left out](LEFT_OUT); what a table refers to comes before it.
        #[must_use]
        pub fn tables() -> Vec<Table> {
            vec![$(Table {
                name: stringify!($table),
                columns: <<schema::$table::table as diesel::Table>::AllColumns as Columns>::columns(),
            }),+]
        }
    };
}
tables![users, sessions, auth_events, one_time_tokens, pending_registrations, mail_outbox, known_networks, stray_files,];

/// What a type of SQL holds.
trait HasKind {
    const KIND: Kind;
}

macro_rules! kinds {
    ($($sql:ty: $kind:ident),+) => {$(
        impl HasKind for $sql {
            const KIND: Kind = Kind::$kind;
        }
    )+};
}
kinds!(Int8: Integer, Text: Text, Bool: Boolean, Timestamptz: Instant, Uuid: Uuid, Bytea: Bytes);

impl<T: HasKind + diesel::sql_types::SqlType> HasKind for Nullable<T>
where
    Nullable<T>: diesel::sql_types::SqlType,
{
    const KIND: Kind = T::KIND;
}

/// All columns of a table, as `schema.rs` has them.
trait Columns {
    fn columns() -> Vec<Column>;
}

/// For tuples of up to as many columns as there are names.
macro_rules! tuples {
    ($($columns:ident)+) => {
        impl<$($columns),+> Columns for ($($columns,)+)
        where
            $($columns: diesel::Column, $columns::SqlType: HasKind,)+
        {
            fn columns() -> Vec<Column> {
                vec![$(Column { name: $columns::NAME.to_owned(), kind: $columns::SqlType::KIND }),+]
            }
        }
        tuples!(@shorter $($columns)+);
    };
    (@shorter $first:ident $($rest:ident)*) => { tuples!($($rest)*); };
    () => {};
}
tuples!(A B C D E F G H I J K L M N O P Q R S T);
