//! `create-user --password-stdin`: what a file or a pipe may hold besides the password.

use crate::support::{Database, PASSWORD, TestApp, TestDb, on_both_databases, try_create_user, try_create_user_with};
use std::sync::Arc;

on_both_databases![
    a_line_ending_or_a_byte_order_mark_is_not_part_of_the_password,
    input_that_cannot_be_typed_as_a_password_is_refused,
    if_missing_accepts_only_an_account_with_the_same_address,
    an_existing_account_that_differs_from_the_arguments_is_an_error,
    an_account_is_shown_as_it_is_stored,
];

const ADA: &str = "ada@example.com";

async fn a_line_ending_or_a_byte_order_mark_is_not_part_of_the_password(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let app = TestApp::builder_on(Arc::clone(&db)).start().await;
    let written = [
        PASSWORD.to_owned(),
        format!("{PASSWORD}\n"),
        format!("{PASSWORD}\r\n"),
        format!("\u{feff}{PASSWORD}\r\n"),
        format!("{PASSWORD}\nanother line\n"),
    ];
    for (number, input) in written.iter().enumerate() {
        let email = format!("user{number}@example.com");
        let created = try_create_user(&db, &email, input.as_bytes());
        assert!(created.status.success(), "{input:?}: {created:?}");
        app.sign_in(&email, PASSWORD).await.tokens();
    }
}

async fn input_that_cannot_be_typed_as_a_password_is_refused(database: Database) {
    let db = TestDb::migrated(database);
    let utf_16 = |mark: u16| -> Vec<u8> {
        [mark].into_iter().chain(PASSWORD.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    for (input, expected) in [
        (b"harbor\0lantern violet 42\n".to_vec(), "NUL character"),
        (format!("{PASSWORD}\0\n").into_bytes(), "NUL character"),
        // UTF-16 text, without a byte order mark and with one.
        (utf_16(u16::from(b' ')), "UTF-16"),
        (utf_16(0xfeff), "is not UTF-8 text"),
        (b"harbor lantern violet \xff42\n".to_vec(), "is not UTF-8 text"),
        (b"harbor lantern violet 42\rother lines\r".to_vec(), "carriage return"),
        (Vec::new(), "is empty"),
        (b"\n".to_vec(), "is empty"),
        (b"\r\n".to_vec(), "is empty"),
        (b"\xef\xbb\xbf\r\n".to_vec(), "is empty"),
        (b"short\n".to_vec(), "password:"),
    ] {
        let refused = try_create_user(&db, ADA, &input);
        let error = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{input:?}: {error}");
        assert!(error.contains(expected), "{input:?}: {error}");
        assert!(!error.contains("panicked"), "{error}");
    }
    assert_eq!(db.number("SELECT count(*) FROM users"), 0);
}

async fn if_missing_accepts_only_an_account_with_the_same_address(database: Database) {
    let db = TestDb::migrated(database);
    let create = |email: &str, arguments: &[&str]| try_create_user_with(&db, email, arguments, PASSWORD.as_bytes());
    assert!(create(ADA, &["--username", "ada"]).status.success());
    for email in [ADA, "ADA@example.com", "\u{200b}ada@example.com"] {
        let existing = create(email, &["--if-missing"]);
        assert!(existing.status.success(), "{existing:?}");
        assert_eq!(String::from_utf8(existing.stdout).unwrap(), "ada@example.com exists already\n");
        assert_eq!(create(email, &[]).status.code(), Some(1), "{email:?}");
    }
    // A script whose secret was removed after its first run.
    for password in [&b""[..], b"short\n", b"\0\n", b"\xff\n"] {
        let existing = try_create_user_with(&db, ADA, &["--if-missing"], password);
        assert!(existing.status.success(), "{existing:?}");
        let missing = try_create_user_with(&db, "eve@example.com", &["--if-missing"], password);
        assert_eq!(missing.status.code(), Some(1), "{missing:?}");
    }
    for arguments in [&["--username", "ADA", "--if-missing"], &["--username", "ada", "--admin"]] {
        let taken = create("eve@example.com", arguments);
        let error = String::from_utf8(taken.stderr).unwrap();
        assert_eq!(taken.status.code(), Some(1), "{error}");
        assert!(error.contains("name"), "{error}");
    }
    assert_eq!(db.number("SELECT count(*) FROM users"), 1);
}

/// An older account keeps an address that a new one would be refused.
async fn an_existing_account_that_differs_from_the_arguments_is_an_error(database: Database) {
    let db = TestDb::migrated(database);
    let create = |email: &str, password: &str, arguments: &[&str]| {
        let arguments = [&["--if-missing"], arguments].concat();
        let created = try_create_user_with(&db, email, &arguments, password.as_bytes());
        let [output, error] = [created.stdout, created.stderr].map(|text| String::from_utf8(text).unwrap());
        (created.status.code(), output, error)
    };
    let users = [("plain@example.com", &[][..]), (ADA, &["--username", "Ada", "--admin"]), ("bob@example.com", &[])];
    for (email, arguments) in users {
        assert_eq!(create(email, PASSWORD, arguments).1, format!("created {email}\n"));
    }
    let former = "z\u{200b}z@example.com";
    db.execute(&format!(
        "UPDATE users SET email = '{former}', email_canonical = '{former}' WHERE username IS NULL AND id > 2"
    ));
    let before = db.content();
    let another_name = "it has another username, or none";
    for (email, arguments, differs) in [
        (ADA, &["--username", "eve"][..], another_name),
        ("plain@example.com", &["--username", "eve"], another_name),
        ("Plain@example.com", &["--admin"], "it is not an administrator"),
        (former, &["--admin", "--username", "zz"], "it is not an administrator, and it has another username, or none"),
    ] {
        let (code, output, error) = create(email, PASSWORD, arguments);
        assert_eq!((code, output.as_str()), (Some(1), ""), "{email:?} {arguments:?}: {error}");
        assert!(error.contains(&format!("exists already, but {differs}; nothing was changed")), "{error}");
    }
    // Properties that were not asked for may be set, and the password stays its owner's.
    for (email, arguments) in
        [(ADA, &[][..]), (ADA, &["--username", "\u{feff}ADA", "--admin"]), ("plain@example.com", &[]), (former, &[])]
    {
        for password in [PASSWORD, "another lantern violet 42", "short"] {
            let (code, output, error) = create(email, password, arguments);
            assert_eq!(code, Some(0), "{email:?} {arguments:?}: {error}");
            assert!(output.ends_with("@example.com exists already\n"), "{output:?}");
        }
    }
    assert_eq!(db.content(), before);
    db.execute("UPDATE users SET is_active = FALSE WHERE username IS NULL");
    let (code, _, error) = create("plain@example.com", PASSWORD, &[]);
    assert!(code == Some(1) && error.contains("exists already, but it is not active"), "{error}");
}

async fn an_account_is_shown_as_it_is_stored(database: Database) {
    let db = TestDb::migrated(database);
    let create =
        |email: &str, username: &str| try_create_user_with(&db, email, &["--username", username], PASSWORD.as_bytes());
    for nothing in ["\u{200b}", "", " "] {
        let refused = create(ADA, nothing);
        assert_eq!(refused.status.code(), Some(1), "{nothing:?}");
        assert!(String::from_utf8(refused.stderr).unwrap().contains("username:"), "{nothing:?}");
    }
    assert_eq!(db.number("SELECT count(*) FROM users"), 0);
    let created = create("\u{200b}e\u{301}lodie@example.com ", "elodie");
    assert_eq!(String::from_utf8(created.stdout).unwrap(), "created élodie@example.com\n");
}
