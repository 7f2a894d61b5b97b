//! The drill: load, back up during concurrent writes, destroy, restore, and check who is still signed in.

use super::rows::content;
use super::{BOTH, Backup, plan};
use crate::support::{Database, PASSWORD, TestApp, TestDb, on_both_databases};
use api::service::backup::write_archive;
use auth_types::Reason;
use chrono::Duration;
use serde_json::json;
use std::io::Write;
use std::sync::Arc;

on_both_databases![
    restoring_a_copy_signs_every_user_out,
    a_move_keeps_every_user_signed_in,
    a_backup_is_one_snapshot_despite_concurrent_writes,
    a_restored_database_knows_the_lifetime_of_its_access_tokens,
];

const ADA: &str = "ada@example.com";
const NEW_PASSWORD: &str = "amber lighthouse window 17";

async fn ask_for_a_link(app: &TestApp) {
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
}

async fn restoring_a_copy_signs_every_user_out(database: Database) {
    let source = TestApp::builder(database).user(ADA).start().await;
    let (live, ended) = (source.login(ADA).await, source.login(ADA).await);
    source.logout(&ended).await.done();
    ask_for_a_link(&source).await;
    let link = source.deliver_one_mail().await.token();
    ask_for_a_link(&source).await; // a mail that is still waiting
    let backup = Backup::of(source.db());
    drop(source);
    for kind in BOTH {
        let target = TestDb::empty(kind);
        backup.restore(&target).unwrap();
        assert_eq!(target.number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 0);
        assert_eq!(target.number("SELECT count(*) FROM sessions WHERE revoke_reason = 'restored'"), 1);
        assert_eq!(target.number("SELECT count(*) FROM sessions WHERE revoke_reason = 'logout'"), 1);
        assert_eq!(target.number("SELECT count(*) FROM auth_events WHERE kind = 'restored' AND user_id IS NULL"), 1);

        let app = TestApp::builder_on(Arc::new(target)).start().await;
        app.refresh(&live).await.unauthorized(Reason::SessionRevoked);
        app.me(&live).await.unauthorized(Reason::SessionRevoked);
        assert_eq!(app.deliver_mail().await.len(), 0, "a restored copy sends no mail again");
        let body = json!({"token": link, "new_password": NEW_PASSWORD});
        app.post("/api/auth/password/reset/confirm/", &body).await.has_status(400);
        let again = app.login(ADA).await;
        app.refresh(&again).await.tokens();
    }
}

async fn a_move_keeps_every_user_signed_in(database: Database) {
    let source = TestApp::builder(database).user(ADA).start().await;
    let (live, ended) = (source.login(ADA).await, source.login(ADA).await);
    source.logout(&ended).await.done();
    ask_for_a_link(&source).await;
    let link = source.deliver_one_mail().await.token();
    ask_for_a_link(&source).await;
    let backup = Backup::of(source.db());
    drop(source);
    for kind in BOTH {
        let target = TestDb::empty(kind);
        backup.move_to(&target).unwrap();
        let app = TestApp::builder_on(Arc::new(target)).start().await;
        app.me(&live).await.done();
        app.refresh(&live).await.tokens();
        app.refresh(&ended).await.unauthorized(Reason::SessionRevoked);
        let body = json!({"token": link, "new_password": NEW_PASSWORD});
        app.post("/api/auth/password/reset/confirm/", &body).await.has_status(200);
        app.sign_in(ADA, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    }
}

async fn a_restored_database_knows_the_lifetime_of_its_access_tokens(database: Database) {
    let source = TestApp::builder(database).user(ADA).start().await;
    let (live, ended) = (source.login(ADA).await, source.login(ADA).await);
    source.logout(&ended).await.done();
    let backup = Backup::of(source.db());
    for kind in BOTH {
        for is_moving in [false, true] {
            let target = Arc::new(TestDb::migrated(kind));
            let lower = || TestApp::builder_on(Arc::clone(&target)).set("ACCESS_TOKEN_LIFETIME", "5").start();
            // It writes its own lifetime, which does not make the database occupied.
            drop(lower().await);
            if is_moving { backup.move_to(&target) } else { backup.restore(&target) }.unwrap();
            let app = lower().await;
            app.clock().advance(Duration::minutes(40));
            app.poll_revocations().await;
            for tokens in [Some(&ended), (!is_moving).then_some(&live)].into_iter().flatten() {
                app.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
            }
        }
    }
}

/// Writes to the database whenever a piece of the backup is written. If its writes had to wait for the backup, they would
/// block for ever, or fail.
struct ConcurrentWriter<'a> {
    db: &'a TestDb,
    archive: Vec<u8>,
    writes: usize,
}

impl Write for ConcurrentWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writes += 1;
        insert_people(self.db, 1_000_000 + self.writes, 1);
        self.db.execute("DELETE FROM sessions WHERE user_id = 2999");
        self.db.execute("UPDATE users SET display_name = 'changed' WHERE id > 2000");
        self.archive.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Inserts accounts, each with a session; their names do not compress.
pub(super) fn insert_people(db: &TestDb, first: usize, count: usize) {
    let (id, noise, at) = match db.database() {
        Database::Sqlite => {
            ("printf('00000000-0000-7000-8000-%012d', n)", "hex(randomblob(640))", "'2026-01-01 00:00:00.000000'")
        }
        Database::Postgres => (
            "CAST('00000000-0000-7000-8000-' || lpad(CAST(n AS text), 12, '0') AS uuid)",
            "(SELECT string_agg(md5(CAST(random() * n * m AS text)), '') FROM generate_series(1, 40) AS m)",
            "CAST('2026-01-01 00:00:00+00' AS timestamptz)",
        ),
    };
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {first} + {count} - 1)"
    );
    db.execute(&format!(
        "{numbers} INSERT INTO users (id, email, email_canonical, password_hash, display_name, created_at)
         SELECT n, 'e', 'e' || n, 'p', {noise}, {at} FROM numbers"
    ));
    db.execute(&format!(
        "{numbers} INSERT INTO sessions (id, user_id, generation, jti, created_at, rotated_at, expires_at, absolute_expires_at)
         SELECT {id}, n, 1, 'j', {at}, {at}, {at}, {at} FROM numbers"
    ));
}

async fn a_backup_is_one_snapshot_despite_concurrent_writes(database: Database) {
    let source = TestDb::migrated(database);
    insert_people(&source, 1, 3_000);
    let before = content(&source);
    let mut writer = ConcurrentWriter { db: &source, archive: Vec::new(), writes: 0 };
    assert_eq!(write_archive(&plan(&source, Vec::new()), &mut writer).unwrap(), 6_000);
    assert!(writer.writes > 5, "the backup was written in only {} pieces", writer.writes);
    assert_ne!(content(&source), before);
    for kind in BOTH {
        let target = TestDb::empty(kind);
        Backup::from_bytes(&writer.archive).move_to(&target).unwrap();
        target.execute("DELETE FROM auth_events");
        assert_eq!(content(&target), before);
    }
}
