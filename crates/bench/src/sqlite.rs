//! How often SQLite alone commits the exchange of a refresh token: the limit of refreshes on it.

use clap::Args;
use rusqlite::types::Value;
use rusqlite::{Connection, Result, params};
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The API's file
    #[arg(long)]
    database: PathBuf,
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// As the API opens its file.
const SETUP: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";
/// What the API changes and reads, without its checks of the times.
const ROTATE: &str = "
    UPDATE sessions
    SET generation = generation + 1, jti = ?1, rotation_key_hash = NULL, previous_rotation_origin = rotation_origin,
        rotation_origin = ?2, previous_rotated_at = rotated_at, rotated_at = ?3, expires_at = ?4
    WHERE id = ?5 AND jti = ?6 AND generation = ?7 AND revoked_at IS NULL
        AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND users.is_active)
    RETURNING user_id, jti, generation, created_at, absolute_expires_at";
const OWNER: &str = "
    SELECT id, email, email_canonical, username, display_name, role, is_active, email_verified_at, avatar_key, created_at, last_login_at
    FROM users WHERE id = ?1";

/// A session that is rotated: its row's values.
struct Session {
    id: Value,
    jti: String,
    generation: i64,
    rotated_at: Value,
    expires_at: Value,
}

/// Prints `begin`, `end` and the number of commits.
pub(crate) fn run(options: &Options) -> std::result::Result<(), String> {
    let (commits, seconds) = commit(options).map_err(|error| error.to_string())?;
    println!("{}", json!({"seconds": seconds, "commits": commits}));
    Ok(())
}

/// How many commits succeeded, and in how many seconds.
fn commit(options: &Options) -> Result<(usize, f64)> {
    let connection = Connection::open(&options.database)?;
    connection.execute_batch(SETUP)?;
    let mut sessions = live_sessions(&connection)?;
    let mut start_transaction = connection.prepare("BEGIN IMMEDIATE")?;
    let mut rotate = connection.prepare(ROTATE)?;
    let mut owner = connection.prepare(OWNER)?;
    let mut commit = connection.prepare("COMMIT")?;
    println!("begin");
    let begun = Instant::now();
    let end = begun + Duration::from_secs_f64(options.seconds);
    let mut commits = 0;
    while Instant::now() < end {
        let place = commits % sessions.len().max(1);
        let Some(session) = sessions.get_mut(place) else { break };
        start_transaction.execute([])?;
        let next = format!("{commits:032x}");
        let values = params![
            next,
            [0x5a_u8; 32],
            session.rotated_at,
            session.expires_at,
            session.id,
            session.jti,
            session.generation
        ];
        let user: i64 = rotate.query_row(values, |row| row.get(0))?;
        owner.query_row([user], |row| row.get::<_, String>(1))?;
        commit.execute([])?;
        session.jti = next;
        session.generation += 1;
        commits += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("end");
    Ok((commits, seconds))
}

fn live_sessions(connection: &Connection) -> Result<Vec<Session>> {
    let sql = "SELECT id, jti, generation, rotated_at, expires_at FROM sessions WHERE revoked_at IS NULL ORDER BY id DESC LIMIT 16";
    let mut select = connection.prepare(sql)?;
    let sessions = select.query_map([], |row| {
        Ok(Session {
            id: row.get(0)?,
            jti: row.get(1)?,
            generation: row.get(2)?,
            rotated_at: row.get(3)?,
            expires_at: row.get(4)?,
        })
    })?;
    sessions.collect()
}
