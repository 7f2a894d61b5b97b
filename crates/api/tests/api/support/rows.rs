//! Inserts thousands of rows, which the database generates itself.

use super::{Database, TestDb};
use auth_types::UserId;
use chrono::{DateTime, Utc};

/// The longest `User-Agent` that is stored.
const BROWSER_LENGTH: usize = 300;

impl TestDb {
    /// An instant as an SQL literal.
    pub fn instant(&self, at: DateTime<Utc>) -> String {
        match self.database() {
            Database::Sqlite => format!("'{}'", at.format("%Y-%m-%d %H:%M:%S%.6f")),
            Database::Postgres => format!("CAST('{}' AS timestamptz)", at.to_rfc3339()),
        }
    }

    /// Adds events of the maximum size, of a user or of no user.
    pub fn add_events(&self, user: Option<UserId>, at: DateTime<Utc>, count: u32) {
        let user = user.map_or_else(|| "NULL".to_owned(), |user| user.to_string());
        let (at, browser) = (self.instant(at), "b".repeat(BROWSER_LENGTH));
        self.add(
            "auth_events (user_id, kind, at, ip_address, user_agent)",
            &format!("CAST({user} AS bigint), 'profile_changed', {at}, '203.0.113.9', '{browser}'"),
            count,
        );
    }

    /// Adds live sessions of a user that began at `at`.
    pub fn add_sessions(&self, user: UserId, at: DateTime<Utc>, count: u32) {
        let (begun, end) = (self.instant(at), self.instant(at + chrono::Duration::days(7)));
        let id = match self.database() {
            Database::Sqlite => format!("printf('%08d-0000-7000-8000-%012d', {user}, n)"),
            Database::Postgres => {
                format!("CAST(lpad('{user}', 8, '0') || '-0000-7000-8000-' || lpad(CAST(n AS text), 12, '0') AS uuid)")
            }
        };
        self.add(
            "sessions (id, user_id, generation, jti, created_at, rotated_at, expires_at, absolute_expires_at, user_agent)",
            &format!("{id}, {user}, 1, 'j', {begun}, {begun}, {end}, {end}, 'a browser'"),
            count,
        );
    }

    /// Adds `count` rows of `values`, in which `n` counts up from 1.
    pub fn add(&self, into: &str, values: &str, count: u32) {
        let numbers = format!("(SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})");
        let insert = match self.database() {
            Database::Sqlite => {
                format!("INSERT INTO {into} WITH RECURSIVE numbers (n) AS {numbers} SELECT {values} FROM numbers")
            }
            Database::Postgres => format!("INSERT INTO {into} SELECT {values} FROM generate_series(1, {count}) AS n"),
        };
        assert_eq!(self.execute(&insert), count as usize);
    }
}
