//! Pictures while the storage is unavailable, and the files left behind when a request fails half-way.

use crate::support::avatars::{put, remove, upload, url_of_me};
use crate::support::pictures::{jpeg, photo, png};
use crate::support::{BucketServer, Database, ONE_SECOND, PASSWORD, TestApp, on_both_databases, send};
use api::clock::{Clock, SystemClock};
use api::service::upkeep::prune::prune;
use auth_types::Reason;
use chrono::Duration;
use image::{Rgba, RgbaImage};
use reqwest::Method;
use serde_json::json;

on_both_databases![
    an_unavailable_storage_fails_pictures_and_nothing_else,
    a_file_that_could_not_be_deleted_is_deleted_later,
    a_file_that_no_row_names_is_deleted_an_hour_later,
    deleting_an_account_deletes_its_picture,
];

const ADA: &str = "ada@example.com";

fn orphaned_files(app: &TestApp) -> i64 {
    app.db().number("SELECT count(*) FROM stray_files")
}

async fn in_bucket(database: Database, server: &BucketServer) -> TestApp {
    TestApp::builder(database).user(ADA).bucket(server).start().await
}

async fn an_unavailable_storage_fails_pictures_and_nothing_else(database: Database) {
    let mut server = BucketServer::start();
    let app = in_bucket(database, &server).await;
    app.clock().set(SystemClock.now()); // `/readyz` compares it with the database's
    let tokens = app.login(ADA).await;
    let url = upload(&app, &tokens).await;
    server.stop();
    put(&app, &tokens, "image/png", png(&photo(40, 40))).await.problem_of(503, Reason::Unavailable);
    app.get(&url).await.problem_of(503, Reason::Unavailable);
    assert_eq!(url_of_me(&app, &tokens).await.as_deref(), Some(url.as_str()), "the previous one stays");
    app.refresh(&app.login(ADA).await).await.tokens();
    app.poll_revocations().await;
    app.get("/readyz").await.has_status(200);
    server.start_again();
    app.get(&url).await.has_status(200);
    let new = upload(&app, &tokens).await;
    app.get(&new).await.has_status(200);
    assert_eq!(server.names().len(), 1);
}

/// The API waits for an unresponsive storage no longer than a person would.
#[actix_web::test]
async fn an_unresponsive_storage_is_a_503_too() {
    let server = BucketServer::start();
    let timeout = std::time::Duration::from_millis(300);
    let builder = TestApp::builder(Database::Sqlite).user(ADA).bucket(&server);
    let app = builder.timeouts(|all| all.file = timeout).start().await;
    let tokens = app.login(ADA).await;
    server.freeze();
    put(&app, &tokens, "image/png", png(&photo(40, 40))).await.problem_of(503, Reason::Unavailable);
    app.login(ADA).await;
    server.thaw();
    assert_eq!(url_of_me(&app, &tokens).await, None);
}

async fn a_file_that_could_not_be_deleted_is_deleted_later(database: Database) {
    let mut server = BucketServer::start();
    let app = in_bucket(database, &server).await;
    let tokens = app.login(ADA).await;
    upload(&app, &tokens).await;
    server.stop();
    remove(&app, &tokens).await.done();
    assert_eq!(url_of_me(&app, &tokens).await, None, "no response shows it any more");
    app.clock().advance(Duration::hours(1) + ONE_SECOND);
    prune(app.services()).await.unwrap();
    assert_eq!(orphaned_files(&app), 1, "the storage is still unavailable");
    server.start_again();
    prune(app.services()).await.unwrap();
    assert_eq!((server.names().len(), orphaned_files(&app)), (0, 0));
}

/// The process died, or the database became unavailable, between writing the file and writing the row.
async fn a_file_that_no_row_names_is_deleted_an_hour_later(database: Database) {
    let server = BucketServer::start();
    let app = in_bucket(database, &server).await;
    let tokens = app.login(ADA).await;
    let name = format!("avatars/{}.jpg", "0".repeat(32));
    app.services().files.put(&name, bytes::Bytes::from_static(b"x"), "image/jpeg").await.unwrap();
    let (recorded, now) = (name.clone(), app.services().now());
    let record = move |connection: &mut _| api::store::stray_files::insert(connection, &recorded, now);
    app.services().store.write_statement(record).await.unwrap();
    let url = upload(&app, &tokens).await;
    app.clock().advance(Duration::hours(1));
    prune(app.services()).await.unwrap();
    assert!(server.names().contains(&name), "a request may be about to name it");
    app.clock().advance(ONE_SECOND);
    prune(app.services()).await.unwrap();
    assert_eq!(server.names(), [url.replace("/api/avatars/", "avatars/")]);
    assert_eq!(orphaned_files(&app), 0);
}

async fn deleting_an_account_deletes_its_picture(database: Database) {
    let server = BucketServer::start();
    let app = in_bucket(database, &server).await;
    let tokens = app.login(ADA).await;
    let url = upload(&app, &tokens).await;
    let request = app.request_as(&tokens, Method::DELETE, "/api/auth/me/").json(&json!({ "password": PASSWORD }));
    send(request).await.has_status(204);
    app.get(&url).await.problem_of(404, Reason::NotFound);
    assert_eq!((server.names().len(), orphaned_files(&app)), (0, 0));
}

/// Other programs may write into a bucket or a folder.
#[actix_web::test]
async fn a_foreign_file_under_the_name_of_a_picture_is_not_served() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let url = upload(&app, &tokens).await;
    let path = app.files().join("avatars").join(url.rsplit('/').next().unwrap());
    let original = std::fs::read(&path).unwrap();
    app.get(&url).await.has_status(200);
    let large = [original.clone(), vec![0; 2 * 1024 * 1024]].concat();
    for foreign in [
        &b"<html><script>alert(1)</script></html>"[..],
        b"",
        b"\x89PN",
        &large,
        b"RIFF\x04\0\0\0WEBP",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        &original[..50],
        &original[..original.len() - 1],
    ] {
        std::fs::write(&path, foreign).unwrap();
        app.get(&url).await.problem_of(404, Reason::NotFound);
    }
    std::fs::write(&path, &original).unwrap();
    app.get(&url).await.has_status(200);
}

/// It is read in chunks, and the first ones are sent before the last one is read.
#[actix_web::test]
async fn a_truncated_picture_is_not_served_as_complete() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let noise = |x: u32, y: u32| u8::try_from((x * x * 31 + y * y * 17 + x * y) % 251).unwrap();
    let translucent = RgbaImage::from_fn(512, 512, |x, y| Rgba([noise(x, y), noise(y, x), 0, noise(x + y, y)])).into();
    for (kind, content) in [("image/jpeg", jpeg(&photo(512, 512))), ("image/png", png(&translucent))] {
        put(&app, &tokens, kind, content).await.has_status(200);
        let url = url_of_me(&app, &tokens).await.unwrap();
        let path = app.files().join("avatars").join(url.rsplit('/').next().unwrap());
        let original = std::fs::read(&path).unwrap();
        assert!(original.len() > 20_000, "several chunks");
        for length in [original.len() / 2, original.len() - 1, original.len()] {
            std::fs::write(&path, &original[..length]).unwrap();
            // The connection may end before the head of the response has left.
            let is_whole = match app.request(Method::GET, &url).send().await {
                Ok(read) => read.status() == 200 && read.bytes().await.is_ok_and(|bytes| bytes == original),
                Err(_) => false,
            };
            assert_eq!(is_whole, length == original.len(), "{length} of {} bytes of {kind}", original.len());
        }
    }
}
