//! The caller's picture: uploaded, served, replaced and removed.

use crate::support::avatars::{AVATAR, put, remove, upload, url_of_me};
use crate::support::pictures::{badge, jpeg, photo, png};
use crate::support::{BucketServer, Database, ONE_SECOND, TestApp, hold, on_both_databases, send};
use auth_types::limits::AVATAR_MAX_BYTES;
use auth_types::responses::{AvatarResponse, TokenResponse};
use auth_types::{Reason, Role};
use chrono::Duration;
use reqwest::Method;
use std::path::Path;

on_both_databases![
    a_picture_is_kept_shown_replaced_and_removed,
    two_pictures_at_once_leave_one_file,
    a_refused_caller_leaves_no_file,
];

const ADA: &str = "ada@example.com";
async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

/// How many pictures a folder holds.
fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("avatars")).map_or(0, Iterator::count)
}

async fn a_picture_is_kept_shown_replaced_and_removed(database: Database) {
    let (app, tokens) = start(database).await;
    assert_eq!(url_of_me(&app, &tokens).await, None);
    let first = upload(&app, &tokens).await;
    assert_eq!(url_of_me(&app, &tokens).await.as_deref(), Some(first.as_str()));
    assert_eq!(
        app.refresh(&tokens).await.tokens().user.avatar_url.as_deref(),
        Some(first.as_str()),
        "the hot statement"
    );
    let shown = app.get(&first).await;
    shown.has_status(200);
    assert_eq!(image::load_from_memory(&shown.body).unwrap().width(), 40);

    let second = upload(&app, &tokens).await;
    assert_ne!(first, second);
    app.get(&first).await.problem_of(404, Reason::NotFound);
    app.get(&second).await.has_status(200);
    assert_eq!(files(app.files()), 1);

    for _ in 0..2 {
        let removed = remove(&app, &tokens).await;
        removed.has_status(200);
        assert_eq!(removed.json::<AvatarResponse>().avatar_url, None);
    }
    assert_eq!(url_of_me(&app, &tokens).await, None);
    app.get(&second).await.problem_of(404, Reason::NotFound);
    assert_eq!((files(app.files()), orphaned_files(&app)), (0, 0));
    let changes = "SELECT count(*) FROM auth_events WHERE kind = 'profile_changed'";
    assert_eq!(app.db().number(changes), 3, "two uploads, one removal");
}

fn orphaned_files(app: &TestApp) -> i64 {
    app.db().number("SELECT count(*) FROM stray_files")
}

async fn two_pictures_at_once_leave_one_file(database: Database) {
    let (app, tokens) = start(database).await;
    let four = (0..4).map(|_| upload(&app, &tokens));
    let uploaded = futures_util::future::join_all(four).await;
    let url = url_of_me(&app, &tokens).await.unwrap();
    assert!(uploaded.contains(&url));
    app.get(&url).await.has_status(200);
    assert_eq!((files(app.files()), orphaned_files(&app)), (1, 0));
}

async fn a_refused_caller_leaves_no_file(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().execute("UPDATE users SET is_active = false");
    put(&app, &tokens, "image/png", png(&photo(40, 40))).await.unauthorized(Reason::UserInactive);
    remove(&app, &tokens).await.unauthorized(Reason::UserInactive);
    assert_eq!((files(app.files()), orphaned_files(&app)), (0, 0));
}

#[actix_web::test]
async fn a_bucket_behaves_like_a_folder() {
    let server = BucketServer::start();
    let app = TestApp::builder(Database::Sqlite).user(ADA).bucket(&server).start().await;
    let tokens = app.login(ADA).await;
    let (first, second) = (upload(&app, &tokens).await, upload(&app, &tokens).await);
    app.get(&first).await.problem_of(404, Reason::NotFound);
    let (shown, head) = (app.get(&second).await, send(app.request(Method::HEAD, &second)).await);
    shown.has_status(200);
    assert_eq!(head.header("content-length"), shown.body.len().to_string());
    assert_eq!(server.names(), [second.replace("/api/avatars/", "avatars/")]);
    assert_eq!(files(app.files()), 0);
    remove(&app, &tokens).await.done();
    assert!(server.names().is_empty());
}

/// The key is random and says nothing about its owner.
#[actix_web::test]
async fn the_url_of_a_picture_cannot_be_guessed() {
    let (app, tokens) = start(Database::Sqlite).await;
    let mut keys = Vec::new();
    for _ in 0..8 {
        let url = upload(&app, &tokens).await;
        let key = url.strip_prefix("/api/avatars/").unwrap().strip_suffix(".jpg").unwrap().to_owned();
        assert_eq!(key.len(), 32);
        keys.push(key);
    }
    for index in (0..32).filter(|index| *index != 12) {
        let digits: std::collections::BTreeSet<_> = keys.iter().map(|key| &key[index..=index]).collect();
        assert!(digits.len() > 1, "digit {index} of {keys:?}");
    }
}

#[actix_web::test]
async fn a_picture_is_served_with_its_media_type_and_a_closed_policy() {
    let (app, tokens) = start(Database::Sqlite).await;
    let opaque = upload(&app, &tokens).await;
    let check = async |url: &str, media_type: &str| {
        let response = app.get(url).await;
        let head = send(app.request(Method::HEAD, url)).await;
        for response in [&response, &head] {
            response.has_status(200);
            for (name, value) in [
                ("content-type", media_type),
                ("cache-control", "public, max-age=31536000, immutable"),
                ("content-security-policy", "default-src 'none'; sandbox"),
                ("cross-origin-resource-policy", "cross-origin"),
                ("x-content-type-options", "nosniff"),
            ] {
                assert_eq!(response.header(name), value, "{name}");
            }
        }
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-length"), response.body.len().to_string());
    };
    check(&opaque, "image/jpeg").await;
    put(&app, &tokens, "image/png", png(&badge(40))).await.done();
    check(&url_of_me(&app, &tokens).await.unwrap(), "image/png").await;
}

#[actix_web::test]
async fn a_cache_with_a_matching_etag_gets_a_304() {
    let (app, tokens) = start(Database::Sqlite).await;
    let url = upload(&app, &tokens).await;
    let tag = app.get(&url).await.header("etag").to_owned();
    let ask = async |tag: &str| send(app.request(Method::GET, &url).header("If-None-Match", tag)).await;
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let response = ask(&known).await;
        response.has_status(304);
        assert!(response.body.is_empty());
        assert_eq!(
            (response.header("etag"), response.header("cache-control").contains("immutable")),
            (tag.as_str(), true)
        );
    }
    for other in ["\"x\"", "x", ""] {
        ask(other).await.has_status(200);
    }
    remove(&app, &tokens).await.done();
    ask(&tag).await.problem_of(404, Reason::NotFound);
}

/// There is no `image/jpg`, and many programs send it.
#[actix_web::test]
async fn a_common_misspelling_of_a_media_type_is_accepted() {
    let (app, tokens) = start(Database::Sqlite).await;
    for media_type in ["image/jpg", "IMAGE/JPG", "image/jpg; charset=binary"] {
        put(&app, &tokens, media_type, jpeg(&photo(40, 40))).await.done();
        let shown = app.get(&url_of_me(&app, &tokens).await.unwrap()).await;
        assert_eq!(shown.header("content-type"), "image/jpeg");
    }
    put(&app, &tokens, "image/jpgx", jpeg(&photo(40, 40))).await.has_status(415);
    put(&app, &tokens, "image/jpg", png(&photo(40, 40))).await.has_status(400);
}

/// While the bucket is unavailable, a 404 shows that it was not asked.
#[actix_web::test]
async fn a_key_that_is_not_valid_is_not_looked_up() {
    let mut server = BucketServer::start();
    let app = TestApp::builder(Database::Sqlite).bucket(&server).start().await;
    app.get(&format!("/api/avatars/{}.jpg", "0".repeat(32))).await.problem_of(404, Reason::NotFound);
    server.stop();
    app.get(&format!("/api/avatars/{}.jpg", "0".repeat(32))).await.problem_of(503, Reason::Unavailable);
    let (short, upper) = (format!("{}.jpg", "0".repeat(31)), format!("{}.jpg", "A".repeat(32)));
    let (gif, more) = (format!("{}.gif", "0".repeat(32)), format!("{}.jpg.jpg", "0".repeat(32)));
    let up = format!("..%2F{}.jpg", "0".repeat(29));
    for key in ["x", "", "..", ".jpg", "%00", &short, &upper, &gif, &more, &up, "..%2f..%2fetc%2fpasswd"] {
        app.get(&format!("/api/avatars/{key}")).await.problem_of(404, Reason::NotFound);
    }
}

#[actix_web::test]
async fn a_file_that_is_not_a_picture_changes_nothing() {
    let (app, tokens) = start(Database::Sqlite).await;
    let url = upload(&app, &tokens).await;
    let png = png(&photo(40, 40));
    let wrong = [("image/jpeg", png.clone()), ("image/png", png[..100].to_vec()), ("image/webp", Vec::new())];
    for (media_type, content) in wrong {
        put(&app, &tokens, media_type, content).await.invalid_fields(&["avatar"]);
    }
    for media_type in ["image/gif", "image/svg+xml", "application/json", "text/html", "image/*", ""] {
        put(&app, &tokens, media_type, png.clone()).await.problem_of(415, Reason::ContentTypeUnsupported);
    }
    assert_eq!(url_of_me(&app, &tokens).await, Some(url));
    assert_eq!((files(app.files()), orphaned_files(&app)), (1, 0));
    put(&app, &tokens, "IMAGE/PNG; x=y", png).await.done();
}

#[actix_web::test]
async fn a_picture_has_at_most_two_mebibytes() {
    let (app, tokens) = start(Database::Sqlite).await;
    let mut content = jpeg(&photo(40, 40));
    content.resize(AVATAR_MAX_BYTES as usize, 0);
    put(&app, &tokens, "image/jpeg", content.clone()).await.done();
    content.push(0);
    put(&app, &tokens, "image/jpeg", content.clone()).await.problem_of(413, Reason::BodyTooLarge);
    // Without a length that is sent beforehand.
    let pieces = content.chunks(100_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let request = app.request_as(&tokens, Method::PUT, AVATAR).header("Content-Type", "image/jpeg");
    send(request.body(body)).await.problem_of(413, Reason::BodyTooLarge);
}

#[actix_web::test]
async fn credentials_are_checked_before_the_media_type_and_that_before_the_picture() {
    let (app, tokens) = start(Database::Sqlite).await;
    let rubbish = || app.request(Method::PUT, AVATAR).header("Content-Type", "text/plain").body("x");
    send(rubbish()).await.unauthorized(Reason::CredentialsMissing);
    send(rubbish().bearer_auth(&tokens.access)).await.problem_of(415, Reason::ContentTypeUnsupported);
}

#[actix_web::test]
async fn thirty_uploads_an_hour_are_allowed() {
    let builder = TestApp::builder(Database::Sqlite).user(ADA).account("eve@example.com", None, Role::User);
    let app = builder.limited().start().await;
    let (ada, eve) = (app.login(ADA).await, app.login("eve@example.com").await);
    for _ in 0..30 {
        put(&app, &ada, "image/png", b"rubbish".to_vec()).await.invalid_fields(&["avatar"]);
    }
    let wait = put(&app, &ada, "image/png", png(&photo(40, 40))).await.throttled();
    assert_eq!(wait, 3600);
    upload(&app, &eve).await;
    app.clock().advance(Duration::hours(1) + ONE_SECOND);
    upload(&app, &app.login(ADA).await).await;
}

/// An upload that finds the queue full gets a 503, and no other request waits.
#[actix_web::test]
async fn a_full_queue_of_pictures_refuses_uploads_only() {
    let (app, tokens) = start(Database::Sqlite).await;
    let held = hold(&app.services().pictures, 1, 16).await;
    put(&app, &tokens, "image/png", png(&photo(40, 40))).await.problem_of(503, Reason::Unavailable);
    app.login(ADA).await;
    drop(held);
    upload(&app, &tokens).await;
}
