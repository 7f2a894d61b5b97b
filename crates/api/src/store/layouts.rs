//! The columns of tables and the types of their values, taken from `diesel::table!`. Backups are made from them, and exports of
//! tables that only their declaration describes.

use super::any::AnyConnection;
use super::schema;
use super::texts::texts;
use super::types::{Bool, Bytea, Int8, Nullable, Text, Timestamptz, Uuid};
use diesel::result::QueryResult;
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

    /// What the database lacks of this table; `None` if it has all of it. Read from the catalog, so that an error, such as a lost
    /// connection, is not mistaken for a missing table.
    pub fn absence(&self, connection: &mut AnyConnection) -> QueryResult<Option<String>> {
        let existing = column_names(connection, self.name)?;
        if existing.is_empty() {
            return Ok(Some(format!("the table {}: it does not exist", self.name)));
        }
        // Unquoted names in SQL are compared without regard to case.
        let exists = |column: &&Column| existing.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        let missing = self.columns.iter().find(|column| !exists(column));
        Ok(missing.map(|column| format!("the table {}: it has no column {}", self.name, column.name)))
    }
}

/// The names of a table's columns; none if there is no such table.
fn column_names(connection: &mut AnyConnection, table: &str) -> QueryResult<Vec<String>> {
    let sql = match connection {
        AnyConnection::Postgres(_) => format!(
            "SELECT CAST(attname AS text) AS text FROM pg_attribute
             WHERE attrelid = to_regclass('{table}') AND attnum > 0 AND NOT attisdropped"
        ),
        AnyConnection::Sqlite(_) => format!("SELECT name AS text FROM pragma_table_xinfo('{table}')"),
    };
    texts(connection, &sql)
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
    access_lifetimes,
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
