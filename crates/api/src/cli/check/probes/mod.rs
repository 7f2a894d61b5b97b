//! Checks that need a connection to another service. Each has a time limit, and all run concurrently.

mod ask;
mod database;
mod hashing;
mod mail;
mod redis;
mod storage;

use super::facts::Facts;
use super::finding::Finding;
use super::secrets;
use crate::clock::SharedClock;
use crate::store::migrations::Migrations;

pub(super) async fn all(facts: &Facts<'_>, clock: &SharedClock, migrations: &Migrations) -> Vec<Finding> {
    let (database, mail, storage, redis, hashing) = tokio::join!(
        database::check(facts, clock, migrations),
        mail::check(facts),
        storage::check(facts),
        redis::check(facts),
        hashing::check(facts),
    );
    let found = database.into_iter().chain(mail).chain(storage).chain(redis).chain(hashing);
    // Other services' errors are reported verbatim and may repeat a secret.
    found.map(|finding| secrets::hide_in(finding, facts.settings)).collect()
}
