//! Statements that stay prepared.
//!
//! diesel keeps a statement prepared on its connection only if its text cannot vary. It assumes that the text of every `UPDATE`,
//! every upsert and, on SQLite, every list can, so the database would parse and plan them for each request. These do the same as
//! diesel's and stay prepared.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AsChangeset, AstPass, IntoUpdateTarget, Query, QueryFragment, QueryId, UpdateTarget};
use diesel::query_source::QuerySource;
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType, Text};
use std::marker::PhantomData;

/// An `UPDATE`. Its type determines its text, so that the prepared statement is found by the type.
pub(super) struct Update<T: QuerySource, W, C: AsChangeset, R = (), F = (), O = ()> {
    table: T::FromClause,
    rows: W,
    changes: C::Changeset,
    returned: R,
    /// Another table, and which row of it belongs to a row of this one.
    from: F,
    on: O,
}

/// Applies `changes` to the rows of `target`.
pub(super) fn update<U, C>(target: U, changes: C) -> Update<U::Table, U::WhereClause, C>
where
    U: IntoUpdateTarget,
    U::Table: QuerySource,
    C: AsChangeset<Target = U::Table>,
{
    let UpdateTarget { table, where_clause } = target.into_update_target();
    Update {
        table: table.from_clause(),
        rows: where_clause,
        changes: changes.as_changeset(),
        returned: (),
        from: (),
        on: (),
    }
}

impl<T: QuerySource, W, C: AsChangeset> Update<T, W, C> {
    /// Restricts the update, which has a condition already, to rows with a row of `other` that matches `on`; columns of both can be
    /// returned. PostgreSQL only: SQLite returns columns of the updated table alone.
    pub(super) fn from<F: QuerySource, O: Expression>(self, other: &F, on: O) -> Update<T, W, C, (), From<F>, On<O>> {
        let Self { table, rows, changes, returned, .. } = self;
        Update { table, rows, changes, returned, from: From(other.from_clause()), on: On(on) }
    }
}

impl<T: QuerySource, W, C: AsChangeset, F, O> Update<T, W, C, (), F, O> {
    /// Returns columns of the rows as they are afterwards.
    pub(super) fn returning<R: Expression>(self, columns: R) -> Update<T, W, C, Returned<R>, F, O> {
        let Self { table, rows, changes, returned: (), from, on } = self;
        Update { table, rows, changes, returned: Returned(columns), from, on }
    }
}

impl<T, W, C, R, F, O, DB> QueryFragment<DB> for Update<T, W, C, R, F, O>
where
    DB: Backend,
    T: QuerySource<FromClause: QueryFragment<DB>>,
    W: QueryFragment<DB>,
    C: AsChangeset<Changeset: QueryFragment<DB>>,
    R: QueryFragment<DB>,
    F: QueryFragment<DB>,
    O: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.changes.walk_ast(out.reborrow())?;
        self.from.walk_ast(out.reborrow())?;
        self.rows.walk_ast(out.reborrow())?;
        self.on.walk_ast(out.reborrow())?;
        self.returned.walk_ast(out)
    }
}

impl<T, W, C, R, F, O> QueryId for Update<T, W, C, R, F, O>
where
    T: QuerySource + QueryId,
    W: QueryId,
    C: AsChangeset + QueryId,
    R: QueryId,
    F: QueryId,
    O: QueryId,
{
    type QueryId = UpdateId<(T::QueryId, W::QueryId, C::QueryId, R::QueryId, F::QueryId, O::QueryId)>;
    const HAS_STATIC_QUERY_ID: bool = <(T, W, C, R, F, O)>::HAS_STATIC_QUERY_ID;
}

/// The type of an [`Update`] with these parts.
#[derive(Debug)]
pub(super) struct UpdateId<Parts>(PhantomData<Parts>);

impl<T: QuerySource, W, C: AsChangeset, R: Expression, F, O> Query for Update<T, W, C, Returned<R>, F, O> {
    type SqlType = R::SqlType;
}

impl<T: QuerySource, W, C: AsChangeset, R, F, O, Connection> RunQueryDsl<Connection> for Update<T, W, C, R, F, O> {}

/// The clause `FROM`, with another table.
pub(super) struct From<T: QuerySource>(T::FromClause);

impl<T: QuerySource<FromClause: QueryFragment<DB>>, DB: Backend> QueryFragment<DB> for From<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(" FROM ");
        self.0.walk_ast(out)
    }
}

impl<T: QuerySource + QueryId> QueryId for From<T> {
    type QueryId = T::QueryId;
    const HAS_STATIC_QUERY_ID: bool = T::HAS_STATIC_QUERY_ID;
}

/// Declares a clause: a keyword and an expression.
macro_rules! clause {
    ($name:ident, $keyword:literal) => {
        #[doc = concat!("The clause", $keyword, "of a statement.")]
        #[derive(Debug, QueryId)]
        pub(super) struct $name<E>(E);

        impl<E: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for $name<E> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                out.push_sql($keyword);
                self.0.walk_ast(out)
            }
        }
    };
}
clause!(On, " AND ");
clause!(Returned, " RETURNING ");

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

/// The statement is looked up by its text.
impl<I> QueryId for Upsert<I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<I, Connection> RunQueryDsl<Connection> for Upsert<I> {}

/// Whether a column has one of a few values. Each number of values is a text of its own, which a connection keeps until it closes.
#[derive(Debug)]
pub(super) struct IsOneOf<'v, C> {
    column: C,
    values: &'v [String],
}

/// Whether `column` has one of `values`, of which there are never many.
pub(super) const fn is_one_of<C>(column: C, values: &[String]) -> IsOneOf<'_, C> {
    IsOneOf { column, values }
}

impl<C> Expression for IsOneOf<'_, C> {
    type SqlType = Bool;
}

impl<C, S> AppearsOnTable<S> for IsOneOf<'_, C> where C: AppearsOnTable<S> {}

impl<C> ValidGrouping<()> for IsOneOf<'_, C> {
    type IsAggregate = is_aggregate::No;
}

impl<C, DB> QueryFragment<DB> for IsOneOf<'_, C>
where
    C: QueryFragment<DB>,
    DB: Backend + HasSqlType<Text>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.values.is_empty() {
            out.push_sql("0 = 1"); // PostgreSQL has no empty list
            return Ok(());
        }
        self.column.walk_ast(out.reborrow())?;
        for (number, value) in self.values.iter().enumerate() {
            out.push_sql(if number == 0 { " IN (" } else { ", " });
            out.push_bind_param::<Text, _>(value)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

/// The statement is looked up by its text.
impl<C> QueryId for IsOneOf<'_, C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
