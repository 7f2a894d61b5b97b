//! Writing statements that stay prepared.
//!
//! diesel keeps a statement prepared on its connection only if the text cannot vary, and it takes no `UPDATE` and no upsert for such a
//! one: the server would parse and plan them for every request. These nodes differ from diesel's own in that only.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AsChangeset, AstPass, IntoUpdateTarget, Query, QueryFragment, QueryId, UpdateTarget};
use diesel::query_source::QuerySource;

/// An `UPDATE`. Of changes that are optional, each combination is a text of its own, which a connection keeps until it closes.
#[derive(Debug)]
pub(super) struct Update<T, W, C, R = ()> {
    table: T,
    rows: W,
    changes: C,
    returned: R,
}

/// Applies `changes` to the rows of `target`.
pub(super) fn update<U, C>(
    target: U,
    changes: C,
) -> Update<<U::Table as QuerySource>::FromClause, U::WhereClause, C::Changeset>
where
    U: IntoUpdateTarget,
    U::Table: QuerySource,
    C: AsChangeset<Target = U::Table>,
{
    let UpdateTarget { table, where_clause } = target.into_update_target();
    Update { table: table.from_clause(), rows: where_clause, changes: changes.as_changeset(), returned: () }
}

impl<T, W, C> Update<T, W, C> {
    /// Returns columns of the rows as they are afterwards.
    pub(super) fn returning<R: Expression>(self, columns: R) -> Update<T, W, C, Returned<R>> {
        let Self { table, rows, changes, returned: () } = self;
        Update { table, rows, changes, returned: Returned(columns) }
    }
}

impl<T, W, C, R, DB> QueryFragment<DB> for Update<T, W, C, R>
where
    DB: Backend,
    T: QueryFragment<DB>,
    W: QueryFragment<DB>,
    C: QueryFragment<DB>,
    R: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.changes.walk_ast(out.reborrow())?;
        self.rows.walk_ast(out.reborrow())?;
        self.returned.walk_ast(out)
    }
}

/// The statement is looked up by its text.
impl<T, W, C, R> QueryId for Update<T, W, C, R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, W, C, R: Expression> Query for Update<T, W, C, Returned<R>> {
    type SqlType = R::SqlType;
}

impl<T, W, C, R, Connection> RunQueryDsl<Connection> for Update<T, W, C, R> {}

/// The end of a statement that returns columns.
#[derive(Debug)]
pub(super) struct Returned<R>(R);

impl<R: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Returned<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(" RETURNING ");
        self.0.walk_ast(out)
    }
}

/// An `INSERT` that overwrites the row in its way, or leaves it as it is.
#[derive(Debug)]
pub(super) struct Upsert<I> {
    insert: I,
    /// What follows the `INSERT`.
    on_conflict: &'static str,
}

/// Runs `insert`, and where a row is in its way `on_conflict`, a clause `ON CONFLICT ...`.
pub(super) fn upsert<I>(insert: I, on_conflict: &'static str) -> Upsert<I> {
    Upsert { insert, on_conflict }
}

impl<I: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Upsert<I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.insert.walk_ast(out.reborrow())?;
        out.push_sql(" ");
        out.push_sql(self.on_conflict);
        Ok(())
    }
}

impl<I> QueryId for Upsert<I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<I, Connection> RunQueryDsl<Connection> for Upsert<I> {}
