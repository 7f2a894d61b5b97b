//! Signing up.

use crate::support::{Database, PASSWORD, TestApp, forge, on_both_databases, send};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use reqwest::Method;

on_both_databases![
    signing_up_creates_an_account_and_signs_in,
    a_taken_address_or_username_is_a_409_that_names_it,
    a_decomposed_letter_equals_the_composed_one,
    a_refused_sign_up_stores_nothing,
    one_hundred_concurrent_sign_ups_create_one_account,
];

const ADA: &str = "ada@example.com";

fn request(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), username: None, display_name: None }
}

async fn signing_up_creates_an_account_and_signs_in(database: Database) {
    let app = TestApp::builder(database).start().await;
    let full = RegisterRequest {
        username: Some(" Countess ".to_owned()),
        display_name: Some("  Ada Lovelace ".to_owned()),
        ..request("  Ada@Example.com ")
    };
    let created = app.register(&full).await.created();

    let user = &created.user;
    assert_eq!((user.email.as_str(), user.username.as_deref()), ("Ada@Example.com", Some("Countess")));
    assert_eq!((user.display_name.as_str(), user.role.as_str()), ("Ada Lovelace", "user"));
    assert!(!user.email_verified && user.avatar_url.is_none());
    assert_eq!(user.last_login_at, Some(user.created_at));
    assert_eq!(forge::claims(&created.refresh)["gen"], 1);
    app.me(&created).await.done();
    app.refresh(&created).await.tokens();
    let stored = app.db().value("SELECT password_hash FROM users").unwrap();
    assert!(stored.starts_with("bcrypt_sha256$$2b$04$"), "{stored}");
    assert!(!app.db().content().iter().any(|line| line.contains(PASSWORD) || line.contains(&created.refresh)));
}

async fn a_taken_address_or_username_is_a_409_that_names_it(database: Database) {
    let app = TestApp::builder(database).start().await;
    let named = |email: &str, name: &str| RegisterRequest { username: Some(name.to_owned()), ..request(email) };
    app.register(&named(ADA, "countess")).await.created();

    for (again, reason, field) in [
        (request(ADA), Reason::EmailTaken, "email"),
        (named("eve@example.com", "Countess"), Reason::UsernameTaken, "username"),
        (named(ADA, "countess"), Reason::EmailTaken, "email"),
    ] {
        let problem = app.register(&again).await.problem_of(409, reason);
        assert_eq!(problem.code, auth_types::ProblemCode::Invalid);
        assert_eq!(problem.errors.keys().collect::<Vec<_>>(), [field]);
    }
    // Two accounts without a username do not collide.
    app.register(&request("bob@example.com")).await.created();
    app.register(&request("eve@example.com")).await.created();
    let blank = RegisterRequest { username: Some("  ".to_owned()), ..request("joe@example.com") };
    assert_eq!(app.register(&blank).await.created().user.username, None);
}

async fn a_decomposed_letter_equals_the_composed_one(database: Database) {
    let app = TestApp::builder(database).start().await;
    let named = |email: &str, name: &str| RegisterRequest { username: Some(name.to_owned()), ..request(email) };
    let created = app.register(&named(ADA, "e\u{301}lodie")).await.created();
    assert_eq!(created.user.username.as_deref(), Some("\u{e9}lodie"));

    app.register(&named("eve@example.com", "\u{c9}lodie")).await.problem_of(409, Reason::UsernameTaken);
    app.sign_in("E\u{301}LODIE", PASSWORD).await.tokens();
    let body = serde_json::json!({"username": "zoe\u{308}"});
    let changed = send(app.request_as(&created, Method::PATCH, "/api/auth/me/").json(&body)).await;
    assert_eq!(changed.json::<auth_types::responses::UserResponse>().username.as_deref(), Some("zo\u{eb}"));
}

async fn a_refused_sign_up_stores_nothing(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let before = app.db().content();
    app.register(&request(ADA)).await.problem_of(409, Reason::EmailTaken);
    app.register(&RegisterRequest { password: "12345678".to_owned(), ..request("eve@example.com") })
        .await
        .invalid_fields(&["password"]);
    assert_eq!(app.db().content(), before);
}

async fn one_hundred_concurrent_sign_ups_create_one_account(database: Database) {
    let app = TestApp::builder(database).start().await;
    let sign_up = async || {
        loop {
            let response = app.register(&request(ADA)).await;
            if response.status != 503 {
                return response; // the hashing queue was full: retry, as Retry-After asks
            }
            tokio::task::yield_now().await;
        }
    };
    let responses = futures_util::future::join_all((0..100).map(|_| sign_up())).await;

    let (created, taken): (Vec<_>, Vec<_>) = responses.into_iter().partition(|response| response.status == 201);
    assert_eq!((created.len(), taken.len()), (1, 99));
    for response in taken {
        response.problem_of(409, Reason::EmailTaken);
    }
    for table in ["users", "sessions", "auth_events"] {
        assert_eq!(app.db().number(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
}

#[actix_web::test]
async fn closed_registration_is_a_403_and_is_in_the_configuration() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).set("REGISTRATION", "closed").start().await;
    app.register(&request("eve@example.com")).await.problem_of(403, Reason::RegistrationClosed);
    assert!(app.get("/api/auth/config/").await.text().contains(r#""registration":"closed""#));
    app.login(ADA).await;
}

#[actix_web::test]
async fn a_password_is_checked_for_its_length_and_for_how_easy_it_is_to_guess() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    let with = |password: &str, name: &str| RegisterRequest {
        password: password.to_owned(),
        username: Some("Countess1".to_owned()),
        display_name: Some("Augusta Ada King".to_owned()),
        ..request(&format!("{name}@example.com"))
    };
    for weak in [
        "short7!",
        "🦀🐙🦑🐡🐠🐟🐬",
        "password",
        "password1",
        "12345678",
        "qwertyuiop",
        "aaaaaaaaaaaa",
        "iloveyou",
        "letmein123",
        "augusta.king@example.com",
        "AUGUSTA.KING@EXAMPLE.COM",
        "augusta.king",
        "countess1",
        "Augusta Ada King",
    ] {
        let response = app.register(&with(weak, "augusta.king")).await;
        assert_eq!(response.status, 400, "{weak} was accepted");
        response.invalid_fields(&["password"]);
    }
    // No composition rules: lower case only, blanks, other scripts, emoji, the maximum length.
    for (number, strong) in [
        "correcthorsebatterystaple".to_owned(),
        "  blanks around and inside  ".to_owned(),
        "пароль который трудно угадать".to_owned(),
        "🦀🐙🦑🐡🐠🐟🐬🐳".to_owned(),
        "x9 Qw-".repeat(42) + "abcd",
    ]
    .into_iter()
    .enumerate()
    {
        let request = RegisterRequest { username: None, ..with(&strong, &format!("somebody{number}")) };
        app.register(&request).await.created();
        app.sign_in(&request.email, &strong).await.tokens();
    }
}

#[actix_web::test]
async fn the_minimum_password_length_is_configured_and_reported() {
    let app = TestApp::builder(Database::Sqlite).set("PASSWORD_MIN_LENGTH", "15").start().await;
    let short = RegisterRequest { password: "vh lantern 42x".to_owned(), ..request(ADA) };
    app.register(&short).await.invalid_fields(&["password"]);
    app.register(&request(ADA)).await.created();
    let config: serde_json::Value = app.get("/api/auth/config/").await.json();
    assert_eq!(config["password"], serde_json::json!({"min_length": 15, "max_length": 256}));
    assert_eq!(config["token_transport"], "body");
    assert_eq!(config["email_verification"], "optional");
}

#[actix_web::test]
async fn a_session_records_where_it_was_opened() {
    let builder = TestApp::builder(Database::Sqlite).set("TRUSTED_PROXY_HOPS", "1");
    let app = builder.start().await;
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let sign_up = app.request(Method::POST, "/api/auth/register/").json(&request(ADA)).header("User-Agent", agent);
    // The client's own entries are to the left of the one that the trusted proxy adds.
    let tokens = send(sign_up.header("X-Forwarded-For", "6.6.6.6, 203.0.113.7")).await.created();
    let sessions: serde_json::Value = app.sessions(&tokens).await.json();
    assert_eq!(sessions[0]["ip_address"], "203.0.113.7");
    assert_eq!(sessions[0]["user_agent"], agent);
    assert_eq!(sessions[0]["device"], "Firefox on Linux");
}
