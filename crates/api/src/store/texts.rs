//! Queries whose result is a list of texts on both databases.

use super::any::AnyConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// Runs `sql`, which selects one column, `text`.
pub(super) fn texts(connection: &mut AnyConnection, sql: &str) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct TextRow {
        #[diesel(sql_type = Text)]
        text: String,
    }
    let rows: Vec<TextRow> = match connection {
        AnyConnection::Postgres(postgres) => diesel::sql_query(sql).load(postgres)?,
        AnyConnection::Sqlite(sqlite) => diesel::sql_query(sql).load(sqlite)?,
    };
    Ok(rows.into_iter().map(|row| row.text).collect())
}
