//! Names that an older release has stored: the migration rewrites them, and their accounts keep their sign-in and their mail.

use crate::support::sign_ups::{ADA, click, request, sign_up};
use crate::support::{Database, PASSWORD, TestApp, TestDb, migrate, on_both_databases, send};
use api::names::Spellings;
use api::service::Error;
use api::service::accounts::register::{self, RegisterRefusal};
use api::store::users::{self, TakenName};
use auth_types::responses::TokenResponse;
use auth_types::{Reason, Role};
use proptest::collection::vec;
use proptest::sample::select;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

on_both_databases![
    stored_rows_are_migrated,
    a_row_that_cannot_be_migrated_keeps_its_sign_in,
    every_account_keeps_the_sign_in_of_its_names,
    an_address_in_its_former_spelling_is_taken,
    an_address_in_its_former_spelling_cannot_be_confirmed_by_another_person,
    the_owner_of_an_address_replaces_unused_accounts_in_all_its_spellings,
    a_stored_address_is_migrated_and_keeps_getting_mail,
    mail_goes_to_the_account_that_the_address_signs_in_to,
];

/// `email`, `username` and `display_name` as an older release has stored them, with their canonical forms.
struct OldRow {
    email: (&'static str, &'static str),
    username: (&'static str, &'static str),
    display_name: &'static str,
}

/// The version of the migration that rewrites names.
const NAME_MIGRATION: &str = "00000000000013";

/// A database of the older release, with users from id 1 on, after the migration.
fn migrated_db(database: Database, users: &[OldRow]) -> Arc<TestDb> {
    migrate_with(TestDb::migrated(database), users)
}

fn migrate_with(db: TestDb, users: &[OldRow]) -> Arc<TestDb> {
    db.execute(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{NAME_MIGRATION}'"));
    let hash = api::service::passwords::hashing::hash(PASSWORD, 4).unwrap();
    for OldRow { email, username, display_name } in users {
        db.execute(&format!(
            "INSERT INTO users (email, email_canonical, username, username_canonical, password_hash, display_name,
             email_verified_at, created_at) VALUES ('{}', '{}', '{}', '{}', '{hash}', '{display_name}',
             '2026-01-02 03:04:05.000000', '2026-01-02 03:04:05.000000')",
            email.0, email.1, username.0, username.1
        ));
    }
    assert_eq!(migrate(&db.parsed_url()).unwrap(), [NAME_MIGRATION]);
    Arc::new(db)
}

const PLAIN: OldRow = OldRow { email: (ADA, ADA), username: ("Ada", "ada"), display_name: "Ada" };

async fn stored_rows_are_migrated(database: Database) {
    let users = [
        OldRow {
            email: ("\u{200b}Ada@example.com", "\u{200b}ada@example.com"),
            username: ("\u{3164}Ada", "\u{1160}ada"),
            display_name: "\u{feff}Ada\u{202e} Lovelace",
        },
        OldRow {
            email: ("jac\u{212a}@example.org", "jack@example.org"),
            username: ("Ｊａｃｋ", "jack"),
            display_name: "",
        },
        OldRow { email: ("bob@example.com", "bob@example.com"), username: ("bob", "bob"), display_name: "Bob" },
    ];
    let app = TestApp::builder_on(migrated_db(database, &users)).start().await;
    for (name, email, username, shown, verified) in [
        ("\u{200b}ada@example.com", "Ada@example.com", "Ada", "Ada Lovelace", false),
        ("ada", "Ada@example.com", "Ada", "Ada Lovelace", false),
        ("jack@example.org", "jacK@example.org", "Jack", "", true),
        ("bob", "bob@example.com", "bob", "Bob", true),
    ] {
        let user = app.sign_in(name, PASSWORD).await.tokens().user;
        assert_eq!(
            (user.email.as_str(), user.username.as_deref(), user.display_name.as_str()),
            (email, Some(username), shown)
        );
        assert_eq!(user.email_verified, verified, "{name:?}");
    }
    app.post("/api/auth/password/reset/", &json!({"email": "jack@example.org"})).await.has_status(202);
    assert_eq!(app.deliver_one_mail().await.to, "jacK@example.org");
    assert_eq!(migrate(&app.db().parsed_url()).unwrap(), Vec::<String>::new());
}

async fn a_row_that_cannot_be_migrated_keeps_its_sign_in(database: Database) {
    let users = [
        PLAIN,
        OldRow {
            email: ("\u{200b}ada@example.com", "\u{200b}ada@example.com"),
            username: ("\u{3164}ada", "\u{1160}ada"),
            display_name: "Eve",
        },
        OldRow {
            email: ("e\u{200b}ve@example.com", "e\u{200b}ve@example.com"),
            username: ("ﬁnn", "finn"),
            display_name: "",
        },
        // Migrated, this address would have the former spelling of the next one.
        OldRow {
            email: ("\u{feff}νίκος@example.gr", "\u{feff}νίκος@example.gr"),
            username: ("nik", "nik"),
            display_name: "",
        },
        OldRow {
            email: ("νίκος@example.gr", "νίκος@example.gr"), username: ("nikos", "nikos"), display_name: ""
        },
    ];
    let app = TestApp::builder_on(migrated_db(database, &users)).start().await;
    for (name, id) in [
        (ADA, 1),
        ("Ada", 1),
        ("\u{200b}ada@example.com", 2),
        ("\u{3164}ada", 2),
        ("e\u{200b}ve@example.com", 3),
        ("ﬁnn", 3),
        ("finn", 3),
        ("\u{feff}νίκος@example.gr", 4),
        ("νίκος@example.gr", 5),
        ("ΝΊΚΟΣ@example.gr", 5),
        // A spelling without a row of its own finds the row of its normalized form.
        ("\u{feff}ada@example.com", 1),
    ] {
        assert_eq!(app.sign_in(name, PASSWORD).await.tokens().user.id.0, id, "{name:?}");
    }
    // The export and the deletion of the other Ada leave out the mails and registrations of the first.
    let other = app.login("\u{200b}ada@example.com").await;
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
    let export = send(app.request_as(&other, Method::GET, "/api/auth/me/export/")).await;
    assert_eq!(export.json::<serde_json::Value>()["mails"], json!([]));
    let body = json!({"password": PASSWORD});
    send(app.request_as(&other, Method::DELETE, "/api/auth/me/").json(&body)).await.has_status(204);
    let mails = app.deliver_mail().await;
    assert!(mails.iter().any(|mail| mail.to == ADA), "{mails:?}");
}

/// The first address becomes the canonical form of both, so the second row keeps the former spelling.
const STRASSE: [OldRow; 2] = [
    OldRow { email: ("strasse@example.de", "strasse@example.de"), username: ("one", "one"), display_name: "" },
    OldRow { email: ("straße@example.de", "straße@example.de"), username: ("two", "two"), display_name: "" },
];

async fn delete_account(app: &TestApp, name: &str) {
    let tokens = app.login(name).await;
    let body = json!({"password": PASSWORD});
    send(app.request_as(&tokens, Method::DELETE, "/api/auth/me/").json(&body)).await.has_status(204);
    app.deliver_mail().await;
}

async fn change_address(app: &TestApp, tokens: &TokenResponse, new_email: &str) {
    let body = json!({"new_email": new_email, "password": PASSWORD});
    send(app.request_as(tokens, Method::POST, "/api/auth/email/change/").json(&body)).await.has_status(202);
}

async fn an_address_in_its_former_spelling_is_taken(database: Database) {
    let app = TestApp::builder_on(migrated_db(database, &STRASSE)).user(ADA).start().await;
    delete_account(&app, "strasse@example.de").await;
    let services = app.services();
    for typed in ["straße@example.de", " Straße@EXAMPLE.de", "STRAẞE@example.de"] {
        app.register(&request(typed)).await.problem_of(409, Reason::EmailTaken);
        let created = register::create(services, &request(typed), Role::User).await;
        assert!(matches!(created, Err(Error::Refused(RegisterRefusal::Taken(TakenName::Email)))), "{created:?}");
        change_address(&app, &app.login(ADA).await, typed).await;
        let mails = app.deliver_mail().await;
        let notice = mails.iter().find(|mail| mail.to == "straße@example.de").unwrap();
        assert_eq!(notice.subject, "You already have an account", "{typed:?}");
        assert_eq!(app.sign_in(typed, PASSWORD).await.tokens().user.id.0, 2, "{typed:?}");
    }
    // No sign-in with this spelling finds the other account.
    let created = app.register(&request("STRASSE@example.de")).await.created();
    assert_eq!(app.sign_in("strasse@example.de", PASSWORD).await.tokens().user.id, created.user.id);
    assert_eq!(app.sign_in("straße@example.de", PASSWORD).await.tokens().user.id.0, 2);
}

async fn an_address_in_its_former_spelling_cannot_be_confirmed_by_another_person(database: Database) {
    let db = migrated_db(database, &STRASSE);
    let app = TestApp::builder_on(db).set("EMAIL_VERIFICATION", "mandatory").user(ADA).start().await;
    delete_account(&app, "strasse@example.de").await;
    sign_up(&app, &request("Straße@example.de")).await;
    let notice = app.deliver_one_mail().await;
    assert_eq!((notice.to.as_str(), notice.subject.as_str()), ("straße@example.de", "You already have an account"));

    // Links that were mailed before the address had its account.
    app.db().execute("UPDATE users SET email = 'two@example.de', email_canonical = 'two@example.de' WHERE id = 2");
    let tokens = app.login(ADA).await;
    sign_up(&app, &request("Straße@example.de")).await;
    let sign_up_link = app.deliver_one_mail().await;
    change_address(&app, &tokens, "Straße@example.de").await;
    let mails = app.deliver_mail().await;
    let change_link = mails.iter().find(|mail| mail.to == "Straße@example.de").unwrap();
    app.db()
        .execute("UPDATE users SET email = 'straße@example.de', email_canonical = 'straße@example.de' WHERE id = 2");
    click(&app, &sign_up_link).await.problem_of(400, Reason::LinkNotValid);
    click(&app, change_link).await.problem_of(409, Reason::EmailTaken);
    assert_eq!(app.sign_in("Straße@example.de", PASSWORD).await.tokens().user.id.0, 2);
}

async fn the_owner_of_an_address_replaces_unused_accounts_in_all_its_spellings(database: Database) {
    let db = migrated_db(database, &STRASSE);
    db.execute("UPDATE users SET email_verified_at = NULL");
    let app = TestApp::builder_on(db).set("EMAIL_VERIFICATION", "mandatory").start().await;
    sign_up(&app, &request("straße@example.de")).await;
    click(&app, &app.deliver_one_mail().await).await.has_status(200);
    for name in ["straße@example.de", "strasse@example.de"] {
        assert_eq!(app.sign_in(name, PASSWORD).await.tokens().user.id.0, 3, "{name:?}");
    }
    assert_eq!(app.db().number("SELECT count(*) FROM users WHERE deleted_at IS NULL"), 1);
}

/// Letters that case, composition, width or compatibility makes equal to others, and some that are never equal.
const LETTERS: [&str; 62] = [
    "a",
    "A",
    "å",
    "a\u{30a}",
    "\u{212b}",
    "k",
    "K",
    "\u{212a}",
    "ß",
    "ẞ",
    "ss",
    "SS",
    "ſ",
    "s",
    "σ",
    "ς",
    "Σ",
    "ı",
    "I",
    "i",
    "İ",
    "i\u{307}",
    "ŉ",
    "\u{2bc}n",
    "\u{1f0}",
    "j\u{30c}",
    "J\u{30c}",
    "\u{345}",
    "α",
    "ᾳ",
    "η\u{345}",
    "ῃ",
    "ΐ",
    "\u{3b9}\u{308}\u{301}",
    "µ",
    "μ",
    "Μ",
    "ﬁ",
    "fi",
    "ﬀ",
    "ff",
    "և",
    "եւ",
    "ａ",
    "Ａ",
    "①",
    "1",
    "e\u{301}",
    "é",
    "E\u{301}",
    "\u{323}\u{307}",
    "\u{307}\u{323}",
    "ṩ",
    "한",
    "ｶﾞ",
    "ガ",
    "か\u{3099}",
    "が",
    "ꭰ",
    "Ꭰ",
    ".",
    "_",
];
/// What may surround them.
const PADDING: [&str; 14] =
    ["", "", "", "", "", "", "", "\u{200b}", "\u{feff}", "\u{2060}", "\u{202e}", "\u{3164}", "\u{ffa0}", "\u{3000}"];

/// Names that are the same in every run.
fn random_names(number: usize) -> Vec<String> {
    let letters = vec(select(&LETTERS[..]), 1..=3).prop_map(|letters| letters.concat());
    let name = (select(&PADDING[..]), letters, select(&PADDING[..]));
    let name = name.prop_map(|(before, letters, after)| format!("{before}{letters}{after}").trim().to_owned());
    let mut runner = TestRunner::deterministic();
    (0..number).map(|_| name.new_tree(&mut runner).unwrap().current()).collect()
}

/// An address as the older release compared it.
fn former_email(local: &str) -> String {
    format!("{}@example.com", local.nfc().collect::<String>().to_lowercase())
}

/// A username as the older release compared it.
fn former_username(name: &str) -> String {
    let normalized = |text: &str| text.nfkc().collect::<String>().to_lowercase().nfkc().collect::<String>();
    normalized(&normalized(name)).trim().to_owned()
}

async fn every_account_keeps_the_sign_in_of_its_names(database: Database) {
    const NAMES: usize = 1_000;
    let names = random_names(2 * NAMES);
    let (locals, usernames) = names.split_at(NAMES);
    let (mut emails_taken, mut usernames_taken) = (HashSet::new(), HashSet::new());
    let pairs = locals.iter().zip(usernames);
    let users: Vec<_> = pairs
        .filter(|(local, name)| {
            emails_taken.insert(former_email(local)) && usernames_taken.insert(former_username(name))
        })
        .collect();
    let row = |(local, name): &(&String, &String)| {
        let (email, username) = (former_email(local), former_username(name));
        format!("('{local}@example.com', '{email}', '{name}', '{username}', '', '', '2026-01-02 03:04:05.000000')")
    };
    let db = TestDb::migrated(database);
    db.execute(&format!(
        "INSERT INTO users (email, email_canonical, username, username_canonical, password_hash, display_name, created_at)
         VALUES {}",
        users.iter().map(row).collect::<Vec<_>>().join(", ")
    ));
    let db = migrate_with(db, &[]);
    let stored = db.texts("SELECT email || ' ' || username AS value FROM users ORDER BY id");
    let mut connection = db.connect();
    let mut find = |name: &str| {
        let (email, username) = (Spellings::of_email(name), Spellings::of_username(name));
        users::find_credentials(&mut connection, &email, &username, "").unwrap().map(|(found, _)| found.id.0)
    };
    for (id, ((local, username), stored)) in (1..).zip(users.iter().zip(&stored)) {
        let (new_email, new_username) = stored.split_once(' ').unwrap();
        for name in [&format!("{local}@example.com"), new_email, username, new_username] {
            assert_eq!(find(name), Some(id), "{name:?} of {local:?}, {username:?}");
        }
    }
}

async fn a_stored_address_is_migrated_and_keeps_getting_mail(database: Database) {
    let row = |email, username| OldRow { email, username: (username, username), display_name: "" };
    let users = [
        row(("νίκος.π@example.gr", "νίκος.π@example.gr"), "one"),
        row(("J\u{30c}o@example.com", "j\u{30c}o@example.com"), "two"),
        // Both would get the second row's address: the first row keeps its form.
        row(("µ@example.com", "µ@example.com"), "three"),
        row(("Μ@example.com", "μ@example.com"), "four"),
    ];
    let db = TestDb::migrated(database);
    let waiting =
        "INSERT INTO mail_outbox (kind, recipient, created_at, due_at, expires_at, turn_at, occurrences) VALUES
         ('reset_password', 'νίκος.π@example.gr', '2026-01-02 03:04:05.000000', '2026-01-02 03:04:05.000000',
         '2099-01-02 03:04:05.000000', '2026-01-02 03:04:05.000000', 1)";
    db.execute(waiting);
    let app = TestApp::builder_on(migrate_with(db, &users)).start().await;
    assert_eq!(app.deliver_one_mail().await.to, "νίκος.π@example.gr", "the mail was requested before the migration");
    for (name, id) in [
        ("νίκος.π@example.gr", 1),
        ("ΝΊΚΟΣ.Π@example.gr", 1),
        ("j\u{30c}o@example.com", 2),
        ("\u{1f0}O@example.com", 2),
        ("µ@example.com", 3),
        ("μ@example.com", 4),
        ("Μ@example.com", 4),
    ] {
        let user = app.sign_in(name, PASSWORD).await.tokens().user;
        assert_eq!((user.id.0, user.email_verified), (id, true), "{name:?}");
        app.post("/api/auth/password/reset/", &json!({"email": name})).await.has_status(202);
        assert_eq!(app.deliver_one_mail().await.to, user.email, "{name:?}");
    }
}

async fn mail_goes_to_the_account_that_the_address_signs_in_to(database: Database) {
    let users = [
        OldRow {
            email: ("\u{200b}ada@example.com", "\u{200b}ada@example.com"),
            username: ("ada", "ada"),
            display_name: "",
        },
        OldRow {
            email: ("\u{feff}ada@example.com", "\u{feff}ada@example.com"),
            username: ("eve", "eve"),
            display_name: "",
        },
        // Invisible or private-use characters inside an address are not removed: these rows stay as they are.
        OldRow {
            email: ("Z\u{200b}z@example.com", "z\u{200b}z@example.com"),
            username: ("zoe", "zoe"),
            display_name: "",
        },
        OldRow {
            email: ("b\u{e000}b@example.com", "b\u{e000}b@example.com"),
            username: ("bob", "bob"),
            display_name: "",
        },
    ];
    let app = TestApp::builder_on(migrated_db(database, &users)).start().await;
    app.db().execute("UPDATE users SET email_verified_at = NULL");
    for (name, id) in [
        ("\u{feff}ada@example.com", 2),
        (ADA, 1),
        ("\u{200b}Ada@example.com", 1),
        ("z\u{200b}z@example.com", 3),
        (" Z\u{200b}Z@EXAMPLE.com", 3),
        ("b\u{e000}b@example.com", 4),
    ] {
        let user = app.sign_in(name, PASSWORD).await.tokens().user;
        assert_eq!(user.id.0, id, "{name:?}");
        for path in ["/api/auth/password/reset/", "/api/auth/email/resend/"] {
            app.post(path, &json!({"email": name})).await.has_status(202);
            assert_eq!(app.deliver_one_mail().await.to, user.email, "{name:?} {path}");
        }
    }
}
