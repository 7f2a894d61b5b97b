//! The columns of tables and the types of their values, taken from `diesel::table!`. Backups are made from them, and exports of
//! tables that only their declaration describes.

use super::any::AnyConnection;
use super::schema;
use super::texts::texts;
use super::types::{Bool, Bytea, Int8, Nullable, Text, Timestamptz, Uuid};
use serde::{Deserialize, Serialize};

/// The type of a column's values, independent of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
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
    pub kind: ColumnKind,
}

impl Column {
    pub(super) fn of<C: diesel::Column>() -> Self
    where
        C::SqlType: HasKind,
    {
        Self { name: C::NAME.to_owned(), kind: C::SqlType::KIND }
    }

    pub(crate) fn is<C: DeclaredColumn>(&self) -> bool {
        self.name == C::NAME
    }

    /// The SQL expression for the column's value in JSON.
    pub(super) fn as_json(&self, on_postgres: bool) -> String {
        let name = &self.name;
        match (self.kind, on_postgres) {
            (ColumnKind::Bytes, true) => format!("encode({name}, 'hex')"),
            (ColumnKind::Bytes, false) => format!("iif({name} IS NULL, NULL, lower(hex({name})))"),
            (ColumnKind::Instant, true) => {
                format!(r#"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#)
            }
            (ColumnKind::Instant, false) => format!("replace({name}, ' ', 'T') || 'Z'"),
            (ColumnKind::Boolean, false) => format!("json(CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)"),
            _ => name.clone(),
        }
    }
}

/// A table and its columns, in the order in which backups write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub name: &'static str,
    pub columns: Vec<Column>,
}

impl Layout {
    /// The layout of a `diesel::table!`.
    pub(crate) fn of<T: DeclaredTable>(name: &'static str) -> Self {
        Self { name, columns: T::AllColumns::columns() }
    }

    /// Whether the database assigns the rows' ids from a sequence.
    pub fn is_numbered(&self) -> bool {
        self.columns.iter().any(|column| column.name == "id" && column.kind == ColumnKind::Integer)
    }

    /// Why the database does not have this table; `None` if it has.
    pub fn absence(&self, connection: &mut AnyConnection) -> Option<String> {
        let columns = self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT 'a row' AS text FROM (SELECT {columns} FROM {} WHERE 1 = 0) AS found", self.name);
        texts(connection, &sql).err().map(|error| format!("the table {}: {error}", self.name))
    }
}

/// A table that is declared by `diesel::table!`.
pub trait DeclaredTable: diesel::Table<AllColumns: Columns> {}
impl<T: diesel::Table<AllColumns: Columns>> DeclaredTable for T {}

/// A column of such a table.
pub trait DeclaredColumn: diesel::Column {}
impl<C: diesel::Column> DeclaredColumn for C {}

/// Latchkey's own tables.
macro_rules! layouts {
    ($($table:ident),+ $(,)?) => {$(
        pub fn $table() -> Layout {
            Layout::of::<schema::$table::table>(stringify!($table))
        }
    )+};
}
layouts![
    users,
    sessions,
    auth_events,
    known_networks,
    one_time_tokens,
    pending_registrations,
    mail_outbox,
    stray_files,
    completed_steps,
    sent_mails,
    last_backup,
    database_identity,
];

/// An SQL type with its [`ColumnKind`].
pub trait HasKind {
    const KIND: ColumnKind;
}

macro_rules! kinds {
    ($($sql:ty: $kind:ident),+) => {$(
        impl HasKind for $sql {
            const KIND: ColumnKind = ColumnKind::$kind;
        }
    )+};
}
kinds!(Int8: Integer, Text: Text, Bool: Boolean, Timestamptz: Instant, Uuid: Uuid, Bytea: Bytes);

impl<T: HasKind + diesel::sql_types::SqlType> HasKind for Nullable<T>
where
    Nullable<T>: diesel::sql_types::SqlType,
{
    const KIND: ColumnKind = T::KIND;
}

/// All columns of a table, in the order of its declaration.
pub trait Columns {
    fn columns() -> Vec<Column>;
}

/// Implements [`Columns`] for tuples of up to as many columns as there are names.
macro_rules! tuples {
    ($($columns:ident)+) => {
        impl<$($columns),+> Columns for ($($columns,)+)
        where
            $($columns: diesel::Column, $columns::SqlType: HasKind,)+
        {
            fn columns() -> Vec<Column> {
                vec![$(Column::of::<$columns>()),+]
            }
        }
        tuples!(@shorter $($columns)+);
    };
    (@shorter $first:ident $($rest:ident)*) => { tuples!($($rest)*); };
    () => {};
}
tuples!(A B C D E F G H I J K L M N O P Q R S T);
