//! Checks that the database is available, stores every character, accepts writes, is migrated, and that the clocks agree.

use super::ask::{off_thread, timed_out, write_into};
use crate::cli::check::facts::Facts;
use crate::cli::check::finding::Finding;
use crate::cli::check::{proxies, rules};
use crate::clock::{CLOCK_TOLERANCE_SECONDS, SharedClock};
use crate::config::{DatabaseUrl, folder_of};
use crate::error_chain::error_chain;
use crate::store::migrations::Migrations;
use crate::store::state::{self, DatabaseState};

const VARIABLE: &str = "DATABASE_URL";

pub(super) async fn check(facts: &Facts<'_>, clock: &SharedClock, migrations: &Migrations) -> Vec<Finding> {
    if facts.database_is_refused() {
        return Vec::new();
    }
    let url = facts.settings.database.url.clone();
    let migrations = migrations.clone();
    match off_thread(move || read_state(&url, &migrations)).await {
        Some(Ok(state)) => findings(&state, clock).into_iter().chain(proxies::clients(facts, &state)).collect(),
        Some(Err(problem)) => vec![unreachable(problem)],
        None => vec![unreachable(timed_out())],
    }
}

fn unreachable(problem: String) -> Finding {
    rules::DATABASE_UNREACHABLE.found(problem).about(VARIABLE)
}

fn read_state(url: &DatabaseUrl, migrations: &Migrations) -> Result<DatabaseState, String> {
    if let DatabaseUrl::Sqlite(file) = url {
        write_into(folder_of(file))?;
    }
    state::read(url, migrations).map_err(|error| error_chain(&error))
}

fn findings(state: &DatabaseState, clock: &SharedClock) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !state.missing_migrations.is_empty() {
        let message = format!("the schema lacks {}", state.missing_migrations.join(", "));
        findings.push(rules::DATABASE_MIGRATIONS.found(message).about(VARIABLE));
    }
    if let Some(encoding) = &state.other_encoding {
        let message = format!("its encoding is {encoding}, and only UTF8 can store every name");
        findings.push(rules::DATABASE_ENCODING.found(message).about(VARIABLE));
    }
    if !state.accepts_writes {
        let message = "it takes no writes: a standby, or restricted by its host; or the file is not writable";
        findings.push(rules::DATABASE_READ_ONLY.found(message).about(VARIABLE));
    }
    let skew = state.now.map_or(0, |now| (clock.now() - now).num_seconds().abs());
    if skew > CLOCK_TOLERANCE_SECONDS {
        let message = format!("its clock and this machine's differ by {skew} s, more than {CLOCK_TOLERANCE_SECONDS} s");
        findings.push(rules::DATABASE_CLOCK.found(message).about(VARIABLE));
    }
    findings
}
