//! Secrets in the configuration: none is repeated in a message or printed with the settings.

use crate::support::settings::{problems, read, with};
use api::cli::check::configuration;
use api::config::{Inspection, Settings, VariableRow, generate_secret, variables};
use secrecy::ExposeSecret;

/// Keys, tokens and passwords of several forms, as people paste and write them into the wrong place.
#[test]
fn no_message_repeats_a_secret_of_any_variable() {
    let secrets = [
        "hidden-word-of-somebody",
        "hunter2",
        "S3cr3t",
        "Violet!Lantern",
        "swordFish",
        "4fae90b1c2d3e4f5",
        "0123456789abcdef0123456789abcdef01234567",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r",
        "correct-horse-battery",
        "лантерн-9",
    ];
    let forms = [
        "_",
        "False _",
        "False\r_",
        "False\u{85}_",
        "8000 SECRET_KEY=_",
        "SECRET_KEY=_",
        "SECRET_KEY: _",
        "ada:_@example.com",
        "_@example.com",
        "https://ada:_@exa mple.com",
        "https://_@example.com",
        "https://app.example.com/?key=_",
        "https://app.example.com/_",
        "http://app.example.com/_",
        "ftp://example.com/_",
        "_://example.com",
        "*,info,a=_",
        "info,_",
        "_,info",
        "7d,_",
        "10.0.0.0/8,_",
        "10.0.0.1 _",
        "Latchkey <_>",
        "\"_\"",
        "file:data SECRET_KEY=_",
        "sqlite:data/a SECRET_KEY=_",
        "a;_",
    ];
    for (form, secret) in forms.iter().flat_map(|form| secrets.map(|secret| (form, secret))) {
        let value = form.replace('_', secret);
        for name in variables().flat_map(VariableRow::names) {
            let variables = with(&[(name, &value)]);
            let report = configuration(&Inspection::of(variables.clone()));
            let refused = Settings::from_variables(variables).err();
            let shown = format!("{report} {}", refused.map(|error| error.to_string()).unwrap_or_default());
            let is_shown = shown.to_lowercase().contains(&secret.to_lowercase());
            assert!(!is_shown, "{name}={value:?}: {shown}");
        }
    }
}

/// Each secret under every name that holds one, in printed settings and in messages of refusal.
#[test]
fn secrets_are_never_printed() {
    const SECRET: &str = "hunter2-hunter2-hunter2-hunter2-hunter2";
    let url = format!("postgres://user:{SECRET}@host/name");
    let good = [("DATABASE_URL", url.as_str()), ("SECRET_KEY", SECRET), ("SECRET_KEY_FALLBACKS", SECRET)];
    let printed = format!("{:?} {:?}", with(&good), read(&good));
    assert!(!printed.contains("hunter2"), "{printed}");

    let bad_url = format!("postgre://user:{SECRET}@host/name");
    let pem = format!("-----BEGIN {SECRET}");
    let bad = [("DATABASE_URL", bad_url.as_str()), ("SECRET_KEY", &pem), ("SECRET_KEY_FALLBACKS", &pem)];
    let message = problems(&bad).join("\n");
    assert!(!message.contains("hunter2"), "{message}");
    let parts = [("DB_NAME", "n"), ("DB_USER", "u"), ("DB_PASSWORD", SECRET), ("DB_HOST", "not a host"), ("PORT", "x")];
    let message = problems(&parts).join("\n");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn a_generated_key_is_long_and_differs_each_time() {
    let make = || generate_secret().map(|key| key.expose_secret().to_owned()).unwrap_or_default();
    let (one, other) = (make(), make());
    assert!(one.len() >= 48, "{}", one.len());
    assert_ne!(one, other);
}
