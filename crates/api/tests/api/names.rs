//! Names with invisible or look-alike characters, and the spellings that count as one name.

use crate::support::{Database, PASSWORD, TestApp, on_both_databases, send};
use auth_types::requests::RegisterRequest;
use auth_types::responses::UserResponse;
use auth_types::{Reason, Role};
use reqwest::Method;
use serde_json::json;

on_both_databases![
    invisible_characters_are_trimmed_from_every_name,
    invisible_characters_inside_a_name_are_refused,
    a_display_name_is_visible_and_readable,
    a_look_alike_letter_does_not_take_another_address,
    mail_goes_to_the_composed_address,
    a_username_follows_precis,
    an_address_is_the_same_in_lower_and_upper_case,
    mail_is_requested_with_and_without_invisible_characters,
    guesses_in_other_spellings_count_for_one_name,
];

pub const ADA: &str = "ada@example.com";
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
            assert_eq!(app.sign_in(name, PASSWORD).await.tokens().user.id, created.user.id, "{name:?}");
        }
        app.register(&request(&format!("{email}{c}"))).await.problem_of(409, Reason::EmailTaken);
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
        assert_eq!(app.sign_in(found, PASSWORD).await.tokens().user.id, ada.user.id, "{found:?}");
    }
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
            assert_eq!(app.sign_in(other, PASSWORD).await.tokens().user.id, created.user.id, "{other:?}");
            app.register(&request(other)).await.problem_of(409, Reason::EmailTaken);
            app.post("/api/auth/password/reset/", &json!({"email": other})).await.has_status(202);
            assert_eq!(app.deliver_one_mail().await.to, created.user.email, "{other:?}");
            app.post("/api/auth/email/resend/", &json!({"email": other})).await.has_status(202);
            assert_eq!(app.deliver_one_mail().await.to, created.user.email, "{other:?}");
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
