//! Names with invisible or look-alike characters, and names that an older release has stored.

use crate::support::{Database, PASSWORD, TestApp, TestDb, migrate, on_both_databases, send};
use auth_types::requests::RegisterRequest;
use auth_types::responses::UserResponse;
use auth_types::{Reason, Role};
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    invisible_characters_are_trimmed_from_every_name,
    invisible_characters_inside_a_name_are_refused,
    a_display_name_is_visible_and_readable,
    a_look_alike_letter_does_not_take_another_address,
    mail_goes_to_the_composed_address,
    a_username_follows_precis,
    stored_rows_are_folded,
    a_row_that_cannot_be_folded_keeps_its_sign_in,
    an_address_is_the_same_in_lower_and_upper_case,
    a_stored_address_is_folded_and_keeps_getting_mail,
    mail_goes_to_the_account_that_the_address_signs_in_to,
    mail_is_requested_with_and_without_invisible_characters,
    guesses_in_other_spellings_count_for_one_name,
];

const ADA: &str = "ada@example.com";
/// Zero-width space, byte-order mark, word joiner, soft hyphen, right-to-left override, Hangul filler, tag.
const INVISIBLE: [char; 7] = ['\u{200b}', '\u{feff}', '\u{2060}', '\u{ad}', '\u{202e}', '\u{3164}', '\u{e0041}'];

fn request(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

async fn invisible_characters_are_trimmed_from_every_name(database: Database) {
    let app = TestApp::builder(database).start().await;
    for (number, c) in INVISIBLE.into_iter().enumerate() {
        let (email, username) = (format!("ada{number}@example.com"), format!("ada{number}"));
        let typed = RegisterRequest {
            username: Some(format!("{c}{username} {c}")),
            display_name: Some(format!("{c}Ada{c}")),
            ..request(&format!("{c}{email}{c}\n"))
        };
        let created = app.register(&typed).await.created();
        assert_eq!((&created.user.email, created.user.username.as_ref()), (&email, Some(&username)), "{c:?}");
        assert_eq!(created.user.display_name, "Ada", "{c:?}");
        for name in [&email, &username, &format!("{c}{email}"), &format!(" {username}{c}")] {
            assert_eq!(app.sign_in(name, PASSWORD).await.ok().user.id, created.user.id, "{name:?}");
        }
        app.register(&request(&format!("{email}{c}"))).await.failed(409, Reason::EmailTaken);
        let changed = json!({"display_name": format!("{c}Countess"), "username": format!("{c}")});
        let changed = send(app.request_as(&created, Method::PATCH, "/api/auth/me/").json(&changed)).await;
        let changed = changed.json::<UserResponse>();
        assert_eq!((changed.display_name.as_str(), changed.username), ("Countess", None), "{c:?}");
        app.deliver_mail().await;
        app.post("/api/auth/password/reset/", &json!({"email": format!("{c}{email}")})).await.has_status(202);
        assert_eq!(app.deliver_one_mail().await.to, email, "{c:?}");
    }
}

async fn invisible_characters_inside_a_name_are_refused(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let ada = app.login(ADA).await;
    let before = app.db().content();
    for c in INVISIBLE {
        let wrong = RegisterRequest {
            username: Some(format!("a{c}da")),
            display_name: Some(format!("Ada{c}Lovelace")),
            ..request(&format!("eve{c}@example.com"))
        };
        app.register(&wrong).await.invalid_fields(&["display_name", "email", "username"]);
        let wrong = json!({"username": format!("a{c}da"), "display_name": format!("Ada{c}Lovelace")});
        let response = send(app.request_as(&ada, Method::PATCH, "/api/auth/me/").json(&wrong)).await;
        response.invalid_fields(&["display_name", "username"]);
        let address = format!("ada@exam{c}ple.com");
        let wrong = json!({"new_email": address, "password": PASSWORD});
        send(app.request_as(&ada, Method::POST, "/api/auth/email/change/").json(&wrong))
            .await
            .invalid_fields(&["new_email"]);
        for path in ["/api/auth/password/reset/", "/api/auth/email/resend/"] {
            app.post(path, &json!({"email": address})).await.invalid_fields(&["email"]);
        }
        app.sign_in(&format!("a{c}da@example.com"), PASSWORD).await.problem(401);
    }
    let kept = |line: &&String| !line.starts_with("auth_events");
    let after = app.db().content();
    assert_eq!(before.iter().filter(kept).collect::<Vec<_>>(), after.iter().filter(kept).collect::<Vec<_>>());
}

async fn a_display_name_is_visible_and_readable(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let ada = app.login(ADA).await;
    let rename = |name: &str| {
        let body = json!({"display_name": name});
        send(app.request_as(&ada, Method::PATCH, "/api/auth/me/").json(&body))
    };
    for unseen in ["\u{16fe4}", "\u{13441}", "\u{fffc}", " \u{1d159}"] {
        assert_eq!(rename(unseen).await.json::<UserResponse>().display_name, "", "{unseen:?}");
    }
    for refused in ["A \u{1d159} B", "A\u{fffe}", "\u{1ffff}", "\u{e000}", "\u{345}", "\u{301}Ada"] {
        rename(refused).await.invalid_fields(&["display_name"]);
    }
    for name in [
        "1\u{fe0f}\u{20e3}",
        "葛\u{e0100}城",
        "हिन्दी",
        "ก้าน",
        "മോഹന്\u{200d}",
        "മോഹന്\u{200d} ലാല്\u{200d}",
        "രാജന്\u{200d}-നായര്\u{200d}",
        "സി. രാജന്\u{200d}.",
        "জগত্\u{200d} সিং",
        "\u{647}\u{200d}",
        "\u{1000}\u{fe00}",
    ] {
        assert_eq!(rename(name).await.json::<UserResponse>().display_name, name);
    }
    // As many tags as fit into a body: trimming them must take linear time.
    let flag = format!("\u{1f3f4}{}", "\u{e0074}".repeat(16_000));
    assert_eq!(rename(&flag).await.json::<UserResponse>().display_name, "\u{1f3f4}");
}

async fn a_look_alike_letter_does_not_take_another_address(database: Database) {
    let app = TestApp::builder(database).start().await;
    for disguised in [
        "jac\u{212a}@example.org",
        "ｊack@example.org",
        "ja\u{1d40c}@example.org",
        "µ@example.com",
        "ｱ@example.com",
        "\u{301}a@example.com",
        "a\u{e000}@example.com",
    ] {
        app.register(&request(disguised)).await.invalid_fields(&["email"]);
    }
    for plain in ["μ@example.com", "ア@example.com", "น้ำ@example.com", "Արև@example.com", "straße@example.com"]
    {
        app.register(&request(plain)).await.created();
    }
    let jack = app.register(&request("jack@example.org")).await.created();
    let change = json!({"new_email": "jac\u{212a}@example.com", "password": PASSWORD});
    let changed = send(app.request_as(&jack, Method::POST, "/api/auth/email/change/").json(&change)).await;
    changed.invalid_fields(&["new_email"]);
    app.deliver_mail().await;
    app.post("/api/auth/password/reset/", &json!({"email": "jack@example.org"})).await.has_status(202);
    assert_eq!(app.deliver_one_mail().await.to, "jack@example.org");
}

async fn mail_goes_to_the_composed_address(database: Database) {
    let app = TestApp::builder(database).start().await;
    let created = app.register(&request("e\u{301}lodie.\u{212b}@example.com")).await.created();
    assert_eq!(created.user.email, "élodie.Å@example.com");
    assert_eq!(app.deliver_one_mail().await.to, "élodie.Å@example.com");
}

async fn a_username_follows_precis(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let ada = app.login(ADA).await;
    let rename = |name: &str| {
        let body = json!({"username": name});
        send(app.request_as(&ada, Method::PATCH, "/api/auth/me/").json(&body))
    };
    for refused in [
        "\u{212a}elvin",
        "ﬁnn",
        "\u{17f}ara",
        "x\u{2163}",
        "ab\u{5d0}",
        "שָa",
        "مُ1١",
        "a\u{200d}b",
        "a²",
        "\u{345}ab",
        "\u{301}ab",
        "a.\u{301}b",
        "a😀b",
        "a’b",
        "a·b",
        "I·I",
        // Newer than the crate's tables: a modifier letter, a number, a symbol, letters of two directions.
        "ab\u{107a5}",
        "ab\u{1246f}",
        "ab\u{1fae0}",
        "ab\u{1e922}",
        "\u{1e922}\u{c7}·\u{c7}",
    ] {
        rename(refused).await.invalid_fields(&["username"]);
    }
    for (given, shown, found) in [
        ("Ｃｏｕｎｔｅｓｓ", "Countess", "COUNTESS"),
        ("ΧΑΟΣ", "ΧΑΟΣ", "χαος"),
        ("שלום1", "שלום1", "שלום1"),
        ("हिन्दी", "हिन्दी", "हिन्दी"),
        ("ก้าน", "ก้าน", "ก้าน"),
        ("l·l", "l·l", "L·L"),
        ("CoL·Lapse", "CoL·Lapse", "col·lapse"),
        ("Ｌ·ｌ", "L·l", "l·l"),
        ("ꭰꭱꭲ", "ꭰꭱꭲ", "ᎠᎡᎢ"),
        ("ᎠᎡᎢ", "ᎠᎡᎢ", "ꭰꭱꭲ"),
        ("𞤀𞤣𞤤𞤢𞤥", "𞤀𞤣𞤤𞤢𞤥", "𞤢𞤣𞤤𞤢𞤥"),
        ("ᲗᲑᲘᲚ", "ᲗᲑᲘᲚ", "თბილ"),
        ("שָלום", "שָלום", "שָלום"),
        ("مُحمد", "مُحمد", "مُحمد"),
        ("مُ.مُ", "مُ.مُ", "مُ.مُ"),
        ("ދިވެހި", "ދިވެހި", "ދިވެހި"),
        ("tie\u{302}\u{301}ng", "ti\u{1ebf}ng", "TIE\u{302}\u{301}NG"),
    ] {
        assert_eq!(rename(given).await.json::<UserResponse>().username.as_deref(), Some(shown));
        assert_eq!(app.sign_in(found, PASSWORD).await.ok().user.id, ada.user.id, "{found:?}");
    }
}

/// `email`, `username` and `display_name` as an older release has stored them, with their canonical forms.
struct OldRow {
    email: (&'static str, &'static str),
    username: (&'static str, &'static str),
    display_name: &'static str,
}

/// A database of the older release, with users from id 1 on, after the migration.
fn migrated_db(database: Database, users: &[OldRow]) -> Arc<TestDb> {
    migrate_with(TestDb::migrated(database), users)
}

fn migrate_with(db: TestDb, users: &[OldRow]) -> Arc<TestDb> {
    db.execute("DELETE FROM __diesel_schema_migrations WHERE version = '00000000000013'");
    let hash = api::service::passwords::hashing::hash(PASSWORD, 4).unwrap();
    for OldRow { email, username, display_name } in users {
        db.execute(&format!(
            "INSERT INTO users (email, email_canonical, username, username_canonical, password_hash, display_name,
             email_verified_at, created_at) VALUES ('{}', '{}', '{}', '{}', '{hash}', '{display_name}',
             '2026-01-02 03:04:05.000000', '2026-01-02 03:04:05.000000')",
            email.0, email.1, username.0, username.1
        ));
    }
    assert_eq!(migrate(&db.parsed_url()).unwrap(), ["00000000000013"]);
    Arc::new(db)
}

const PLAIN: OldRow = OldRow { email: (ADA, ADA), username: ("Ada", "ada"), display_name: "Ada" };

async fn stored_rows_are_folded(database: Database) {
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
        let user = app.sign_in(name, PASSWORD).await.ok().user;
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

async fn a_row_that_cannot_be_folded_keeps_its_sign_in(database: Database) {
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
        // A spelling without a row of its own finds the row of its normalized form.
        ("\u{feff}ada@example.com", 1),
    ] {
        assert_eq!(app.sign_in(name, PASSWORD).await.ok().user.id.0, id, "{name:?}");
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

/// A sigma before a dot, letters without a capital form, and one whose capital form has two letters.
const CASED: [[&str; 3]; 6] = [
    ["νίκος.π@example.gr", "ΝΊΚΟΣ.Π@example.GR", "Νίκοσ.π@example.gr"],
    ["\u{1f0}o@example.com", "J\u{30c}O@EXAMPLE.COM", "j\u{30c}o@example.com"],
    ["\u{1e96}i@example.com", "H\u{331}I@example.com", "h\u{331}i@example.com"],
    ["t\u{308}q@example.com", "T\u{308}Q@example.com", "\u{1e97}q@example.com"],
    ["straße@example.de", "STRASSE@example.de", "STRAẞE@example.de"],
    ["ИРИНА@example.ru", "ирина@example.ru", "Ирина@example.ru"],
];

async fn an_address_is_the_same_in_lower_and_upper_case(database: Database) {
    let app = TestApp::builder(database).start().await;
    for [typed, others @ ..] in CASED {
        let created = app.register(&request(typed)).await.created();
        let first = app.deliver_one_mail().await;
        assert_eq!(first.to, created.user.email, "{typed:?}");
        for other in others {
            assert_eq!(app.sign_in(other, PASSWORD).await.ok().user.id, created.user.id, "{other:?}");
            app.register(&request(other)).await.failed(409, Reason::EmailTaken);
            app.post("/api/auth/password/reset/", &json!({"email": other})).await.has_status(202);
            assert_eq!(app.deliver_one_mail().await.to, created.user.email, "{other:?}");
            app.post("/api/auth/email/resend/", &json!({"email": other})).await.has_status(202);
            assert_eq!(app.deliver_one_mail().await.to, created.user.email, "{other:?}");
        }
    }
}

async fn a_stored_address_is_folded_and_keeps_getting_mail(database: Database) {
    let row = |email, username| OldRow { email, username: (username, username), display_name: "" };
    let users = [
        row(("νίκος.π@example.gr", "νίκος.π@example.gr"), "one"),
        row(("J\u{30c}o@example.com", "j\u{30c}o@example.com"), "two"),
        // Both would fold to the second row's address: the first row keeps its form.
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
        let user = app.sign_in(name, PASSWORD).await.ok().user;
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
        let user = app.sign_in(name, PASSWORD).await.ok().user;
        assert_eq!(user.id.0, id, "{name:?}");
        for path in ["/api/auth/password/reset/", "/api/auth/email/resend/"] {
            app.post(path, &json!({"email": name})).await.has_status(202);
            assert_eq!(app.deliver_one_mail().await.to, user.email, "{name:?} {path}");
        }
    }
}

/// The response is the same whether or not such an address has an account.
async fn mail_is_requested_with_and_without_invisible_characters(database: Database) {
    let app = TestApp::builder(database).account(ADA, None, Role::User).start().await;
    app.db().execute("UPDATE users SET email_verified_at = NULL");
    for path in ["/api/auth/password/reset/", "/api/auth/email/resend/"] {
        // No more mails than one address may get in an hour.
        for c in &INVISIBLE[..4] {
            app.post(path, &json!({"email": format!("a{c}d\u{e000}a@example.com")})).await.has_status(202);
            assert_eq!(app.deliver_one_mail().await.to, ADA, "{c:?} {path}");
            app.post(path, &json!({"email": format!("e{c}ve@example.com")})).await.has_status(202);
            assert_eq!(app.deliver_mail().await.len(), 0, "{c:?} {path}");
            for wrong in
                [format!("ada@exam{c}ple.com"), format!("a{c}da"), format!("{c}@example.com"), format!("a da{c}@b.c")]
            {
                app.post(path, &json!({"email": wrong})).await.invalid_fields(&["email"]);
            }
        }
    }
}

async fn guesses_in_other_spellings_count_for_one_name(database: Database) {
    let app = TestApp::builder(database).account(ADA, Some("Ada"), Role::User).limited().start().await;
    for number in 0..10_u32 {
        let pad: String = (0..number).map(|_| '\u{200b}').collect();
        let address = format!("198.51.100.{number}");
        app.sign_in_from(&address, &format!("{pad}{ADA}"), "not the password").await.problem(401);
    }
    app.sign_in_from("198.51.100.99", &format!("\u{2060}{ADA}"), "not the password").await.throttled();
}
