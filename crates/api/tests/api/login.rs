//! Signing in: by which names, with which passwords, and what an attacker can learn.

use crate::support::{Database, ONE_SECOND, PASSWORD, TestApp, hold_hashing, on_both_databases, queue_length};
use auth_types::requests::{LoginRequest, RegisterRequest};
use auth_types::{Reason, Role};
use futures_util::future::join_all;
use std::time::Duration;

on_both_databases![
    signing_in_opens_a_session_of_its_own,
    wrong_password_unknown_user_and_inactive_user_get_the_same_response,
    a_failed_sign_in_is_recorded_for_a_user_who_exists,
    an_address_is_found_in_any_spelling_of_it,
    a_username_is_found_in_any_spelling_of_it,
    either_field_holds_either_name,
    a_password_is_verified_exactly_as_received,
    a_password_from_django_is_verified_and_rehashed,
    a_hash_of_another_cost_is_replaced,
    a_damaged_hash_lets_nobody_in,
    concurrent_sign_ins_that_rehash_the_password_all_succeed,
    a_sign_in_that_races_a_deactivation_opens_nothing,
    a_sign_in_that_races_a_change_of_password_opens_nothing,
];

const ADA: &str = "ada@example.com";

async fn start(database: Database) -> TestApp {
    TestApp::builder(database).account(ADA, Some("Countess"), Role::User).start().await
}

fn stored_hash(app: &TestApp) -> String {
    app.db().value("SELECT password_hash FROM users").unwrap()
}

fn set_hash(app: &TestApp, hash: &str) {
    app.db().execute(&format!("UPDATE users SET password_hash = '{hash}'"));
}

async fn signing_in_opens_a_session_of_its_own(database: Database) {
    let app = start(database).await;
    let first = app.login(ADA).await;
    app.clock().advance(ONE_SECOND);
    let second = app.login(ADA).await;

    assert_ne!(first.refresh, second.refresh);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 2);
    assert_eq!(second.user.last_login_at.unwrap() - first.user.last_login_at.unwrap(), ONE_SECOND);
    assert_eq!(first.access_expires_in, 3600);
    assert_eq!(first.refresh_expires_in, 604_800);
    app.logout(&first).await.done();
    app.me(&second).await.done();
}

async fn wrong_password_unknown_user_and_inactive_user_get_the_same_response(database: Database) {
    let app = start(database).await;
    let wrong = app.sign_in(ADA, "violet harbor lantern 43").await;
    let unknown = app.sign_in("eve@example.com", PASSWORD).await;
    let no_address = app.sign_in("nobody", PASSWORD).await;
    app.db().execute("UPDATE users SET is_active = false");
    let inactive = app.sign_in(ADA, PASSWORD).await;
    let inactive_and_wrong = app.sign_in(ADA, "violet harbor lantern 43").await;

    for other in [&unknown, &no_address, &inactive, &inactive_and_wrong] {
        assert_eq!(wrong.comparable(), other.comparable());
    }
    let problem = wrong.unauthorized(Reason::CredentialsWrong);
    assert_eq!(problem.detail, "No active account found with the given credentials");
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 0);
}

async fn a_failed_sign_in_is_recorded_for_a_user_who_exists(database: Database) {
    let app = start(database).await;
    app.sign_in(ADA, "violet harbor lantern 43").await.unauthorized(Reason::CredentialsWrong);
    app.sign_in("eve@example.com", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    // The statement is the same for a name without an account, and inserts nothing.
    let failures = "SELECT count(*) FROM auth_events WHERE kind = 'login_failed'";
    assert_eq!(app.db().number(failures), 1);
    assert_eq!(app.db().number(&format!("{failures} AND user_id IS NULL")), 0);
    app.login(ADA).await;
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'logged_in'"), 1);
    assert_eq!(app.db().number(failures), 1);
}

async fn an_address_is_found_in_any_spelling_of_it(database: Database) {
    // Registered spelling → other spellings that find it.
    let spellings: [(&str, &[&str]); 5] = [
        (
            "Ada.Lovelace@Example.COM",
            &["ada.lovelace@example.com", " ADA.LOVELACE@EXAMPLE.COM\t", "ada.Lovelace@eXample.com"],
        ),
        (
            "info@Exämple.de",
            &["info@exämple.de", "INFO@EXÄMPLE.DE", "info@xn--exmple-cua.de", "info@exa\u{308}mple.de"],
        ),
        ("École@example.com", &["école@example.com", "e\u{301}cole@example.com", "E\u{301}COLE@example.com"]),
        ("İzmir@example.com", &["i\u{307}zmir@example.com", "İZMIR@example.com"]),
        ("user+tag@example.com", &["USER+TAG@example.com"]),
    ];
    let app = TestApp::builder(database).start().await;
    for (given, others) in spellings {
        let request = RegisterRequest { email: given.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
        let created = app.register(&request).await.created();
        assert_eq!(created.user.email, given);
        for other in others.iter().chain([&given]) {
            assert_eq!(app.sign_in(other, PASSWORD).await.tokens().user.id, created.user.id, "{other:?} for {given:?}");
            let again = RegisterRequest { email: (*other).to_owned(), ..request.clone() };
            let problem = app.register(&again).await.problem_of(409, Reason::EmailTaken);
            assert!(problem.errors.contains_key("email"));
        }
    }
    // Addresses that differ in more than spelling stay different.
    app.sign_in("ecole@example.com", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.sign_in("user@example.com", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.sign_in("izmir@example.com", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
}

async fn a_username_is_found_in_any_spelling_of_it(database: Database) {
    let spellings: [(&str, &[&str]); 4] = [
        ("Countess", &["countess", " COUNTESS ", "Ｃｏｕｎｔｅｓｓ"]),
        ("Élodie", &["e\u{301}lodie", "ÉLODIE"]),
        ("Kelvin", &["\u{212a}elvin", "KELVIN"]),
        ("Strasse.9", &["\u{17f}trasse.9", "STRASSE.９"]),
    ];
    let app = TestApp::builder(database).start().await;
    for (number, (given, others)) in spellings.into_iter().enumerate() {
        let request = RegisterRequest {
            email: format!("user{number}@example.com"),
            password: PASSWORD.to_owned(),
            username: Some(given.to_owned()),
            display_name: None,
        };
        let created = app.register(&request).await.created();
        let again = RegisterRequest {
            email: format!("other{number}@example.com"),
            username: Some(given.to_uppercase()),
            ..request.clone()
        };
        app.register(&again).await.problem_of(409, Reason::UsernameTaken);
        for other in others {
            assert_eq!(app.sign_in(other, PASSWORD).await.tokens().user.id, created.user.id, "{other:?} for {given:?}");
        }
    }
}

async fn either_field_holds_either_name(database: Database) {
    let app = start(database).await;
    let password = || PASSWORD.to_owned();
    for (email, username) in [
        (Some(ADA), None),
        (None, Some(ADA)),
        (Some("countess"), None),
        (None, Some("countess")),
        (Some(""), Some("countess")),
        (Some(" "), Some(ADA)),
    ] {
        let request = LoginRequest {
            email: email.map(str::to_owned),
            username: username.map(str::to_owned),
            password: password(),
        };
        app.post("/api/auth/login/", &request).await.tokens();
    }
    let nameless = LoginRequest { password: password(), ..LoginRequest::default() };
    app.post("/api/auth/login/", &nameless).await.invalid_fields(&["email"]);
}

async fn a_password_is_verified_exactly_as_received(database: Database) {
    let app = TestApp::builder(database).start().await;
    // Long enough that bcrypt alone would ignore its end; É is one code point here.
    let right = format!(" Élan vital, {} end ", "seven words and more ".repeat(4));
    assert!(right.len() > 80);
    let request = RegisterRequest { email: ADA.to_owned(), password: right.clone(), ..Default::default() };
    app.register(&request).await.created();
    app.sign_in(ADA, &right).await.tokens();

    let seventy_third = format!("{}X{}", &right[..73], &right[74..]);
    for wrong in [
        right.trim().to_owned(),
        right.trim_end().to_owned(),
        format!("{right} "),
        right.to_lowercase(),
        right.to_uppercase(),
        right.replace('É', "E\u{301}"),
        right.replace("end", "End"),
        seventy_third,
        right[..right.len() - 1].to_owned(),
    ] {
        assert_ne!(wrong, right);
        app.sign_in(ADA, &wrong).await.unauthorized(Reason::CredentialsWrong);
    }
    app.sign_in(ADA, &format!("{right}\0x")).await.invalid_fields(&["password"]);
}

async fn a_password_from_django_is_verified_and_rehashed(database: Database) {
    // Generated with Python's hashlib and libxcrypt by Django's algorithms.
    let hashes = [
        "pbkdf2_sha256$600000$Zt3Xk9QmR2vB$+ygGbWFD6VoLp0GLprO3s1oANn99U/4bcOOVMUkuZdU=",
        "bcrypt_sha256$$2b$12$wJalrXUtnFEMIK7MDENGbOTUdsM2wWzv2ocsYVbclmbm4OWPuzoXu",
    ];
    let app = start(database).await;
    for hash in hashes {
        set_hash(&app, hash);
        app.sign_in(ADA, "violet harbor lantern 43").await.unauthorized(Reason::CredentialsWrong);
        assert_eq!(stored_hash(&app), hash, "a wrong password changes nothing");
        app.login(ADA).await;
        assert!(stored_hash(&app).starts_with("bcrypt_sha256$$2b$04$"), "{}", stored_hash(&app));
        app.login(ADA).await;
    }
}

async fn a_hash_of_another_cost_is_replaced(database: Database) {
    let app = start(database).await;
    let current = stored_hash(&app);
    app.login(ADA).await;
    assert_eq!(stored_hash(&app), current, "a hash of the current cost stays");
    set_hash(&app, &api::service::passwords::hashing::hash(PASSWORD, 5).unwrap());
    app.login(ADA).await;
    assert!(stored_hash(&app).starts_with("bcrypt_sha256$$2b$04$"));
}

async fn a_damaged_hash_lets_nobody_in(database: Database) {
    let app = start(database).await;
    for hash in [
        "",
        "!",
        "!unusable",
        PASSWORD,
        "bcrypt_sha256$",
        "bcrypt_sha256$$2b$04$",
        "bcrypt_sha256$$2b$99$wJalrXUtnFEMIK7MDENGbO4V7au/LOKVEagqTMEa9WQA5y/uYUOg6",
        "pbkdf2_sha256$0$salt$",
        "pbkdf2_sha256$1$salt$",
        "pbkdf2_sha256$4294967295$salt$AAAA",
        "pbkdf2_sha256$x$salt$AAAA",
        "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
    ] {
        set_hash(&app, hash);
        app.sign_in(ADA, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    }
}

/// Lets pending work get as far as it can. On a slower machine the test proves less, but does not fail.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// Each has read the old hash. One of them replaces it; the others find a hash other than the one they compared.
async fn concurrent_sign_ins_that_rehash_the_password_all_succeed(database: Database) {
    let app = start(database).await;
    set_hash(&app, &api::service::passwords::hashing::hash(PASSWORD, 5).unwrap());
    let held = hold_hashing(&app, 0).await;
    let release = async {
        settle().await;
        drop(held);
    };
    let (responses, ()) = tokio::join!(join_all((0..4).map(|_| app.sign_in(ADA, PASSWORD))), release);
    for response in responses {
        response.tokens();
    }
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 4);
}

async fn assert_race_is_lost(app: &TestApp, change: &str) {
    let held = hold_hashing(app, 0).await;
    let interfere = async {
        settle().await;
        app.db().execute(change);
        drop(held);
    };
    let (response, ()) = tokio::join!(app.sign_in(ADA, PASSWORD), interfere);
    response.unauthorized(Reason::CredentialsWrong);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 0);
}

async fn a_sign_in_that_races_a_deactivation_opens_nothing(database: Database) {
    assert_race_is_lost(&start(database).await, "UPDATE users SET is_active = false").await;
}

async fn a_sign_in_that_races_a_change_of_password_opens_nothing(database: Database) {
    let app = start(database).await;
    let new = api::service::passwords::hashing::hash("another violet harbor", 4).unwrap();
    assert_race_is_lost(&app, &format!("UPDATE users SET password_hash = '{new}'")).await;
}

#[actix_web::test]
async fn with_a_full_hashing_queue_sign_ins_get_503_and_other_requests_are_served() {
    let app = start(Database::Sqlite).await;
    let tokens = app.login(ADA).await;
    let held = hold_hashing(&app, queue_length()).await;

    // A known, an unknown and a new account: each would hash.
    app.sign_in(ADA, PASSWORD).await.problem_of(503, Reason::Unavailable);
    app.sign_in("eve@example.com", PASSWORD).await.problem_of(503, Reason::Unavailable);
    let email = "new@example.com".to_owned();
    let new = RegisterRequest { email, password: PASSWORD.to_owned(), ..Default::default() };
    app.register(&new).await.problem_of(503, Reason::Unavailable);
    app.me(&tokens).await.done();
    let tokens = app.refresh(&tokens).await.tokens();
    app.verify(&tokens.access).await.done();

    drop(held);
    app.login(ADA).await;
    app.register(&new).await.created();
}
