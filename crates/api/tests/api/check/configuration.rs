//! Findings that need no other server.

use super::{SOUND, ids, with};
use api::cli::check::{CheckReport, RULES, configuration};
use api::config::{Inspection, Variables};
use std::collections::BTreeSet;

fn check(changes: &[(&str, &str)]) -> CheckReport {
    configuration(&Inspection::of(with(changes)))
}

#[test]
fn a_sound_configuration_has_no_finding() {
    assert_eq!(check(&[]).to_string(), "errors: 0, warnings: 0, for information: 0");
}

/// Changes to the sound production configuration, and the findings that they cause.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

const CASES: &[Case] = &[
    (&[("DEBUG", "True")], &["config.refused"]),
    (&[("CORS_ALLOWED_ORIGINS", "*")], &["config.refused"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com/")], &["config.refused"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com/login")], &["config.refused"]),
    (&[("SECRET_KEY", "too short")], &["config.refused"]),
    (&[("SECRET_KEY", "")], &["config.refused"]),
    (&[("SECRET_KEY", ""), ("DJANGO_SECRET_KEY", "too short")], &["config.refused"]),
    (&[("REFRESH_LEEWAY", "0")], &["refresh.strict"]),
    (&[("RATE_LIMITS", "off")], &["config.refused", "limits.off"]),
    (&[("EMAIL_FROM", "")], &["config.refused"]),
    (&[("EMAIL_URL", "smtp://user@mail.example.com")], &["config.refused"]),
    (&[("SECRET_KEYS", "x")], &["config.misspelt"]),
    (&[("CORS_ALLOWED_ORIGIN", "x")], &["config.misspelt"]),
    (&[("SECRET_KEY", "my-super-secret-key-for-this-application-1234567890")], &["secrets.placeholder"]),
    (&[("METRICS_TOKEN", "CHANGE-ME-CHANGE-ME")], &["secrets.placeholder"]),
    (&[("AWS_SECRET_ACCESS_KEY", "your_r2_secret_key")], &["secrets.placeholder"]),
    (&[("DATABASE_URL", "postgres://u:your_postgres_password@h/d")], &["secrets.placeholder"]),
    (&[("SECRET_KEY", "django-insecure-q8#v2!k7z0m4x9c6b1n3p5r8t0w2y4")], &["secrets.weak"]),
    (&[("SECRET_KEY", "abcabcabcabcabcabcabcabcabcabcabcabc")], &["secrets.weak"]),
    (&[("SECRET_KEY_FALLBACKS", "abcabcabcabcabcabcabcabcabcabcabcabc")], &["secrets.weak"]),
    (&[("SECRET_KEY_FALLBACKS", "Zq7vK2mXw9bT4cR8nL5hJ3gF6dS1aP0yUeIo")], &["secrets.reused"]),
    (&[("METRICS_TOKEN", "Zq7vK2mXw9bT4cR8nL5hJ3gF6dS1aP0yUeIo")], &["secrets.reused"]),
    (&[("AWS_SECRET_ACCESS_KEY", "b6Yt@Rk2")], &["secrets.reused"]),
    (&[("EMAIL_URL", "smtp://u:t5Gv1mNb@h")], &["secrets.reused"]),
    (&[("REDIS_URL", "")], &["redis.none"]),
    (&[("API_DOCS", "open")], &["docs.open"]),
    (&[("RUST_LOG", "info,api=debug")], &["logs.verbose"]),
    (&[("TRUSTED_PROXY_HOPS", "0")], &["proxy.hops"]),
    (&[("TRUSTED_PROXY_HOPS", "0"), ("RENDER", "true")], &["proxy.hops"]),
    (&[("TRUSTED_PROXY_HOPS", "1"), ("RENDER", "true")], &["proxy.render"]),
    (&[("TRUSTED_PROXY_HOPS", ""), ("RENDER", "true")], &[]),
    (&[("TRUSTED_PROXY_HOPS", ""), ("TRUSTED_PROXIES", "private"), ("RENDER", "true")], &["proxy.render"]),
    (&[("TRUSTED_PROXY_HOPS", ""), ("TRUSTED_PROXIES", "render,192.0.2.0/24"), ("RENDER", "true")], &[]),
    (&[("TRUSTED_PROXY_HOPS", ""), ("TRUSTED_PROXIES", "private")], &[]),
    (&[("TRUSTED_PROXIES", "private")], &["config.refused"]),
    (&[("TRUSTED_PROXY_HOPS", ""), ("TRUSTED_PROXIES", "10.0.0.0/33")], &["config.refused"]),
    (&[("CORS_ALLOWED_ORIGINS", "")], &["origins.none", "frontend.missing"]),
    (&[("CORS_ALLOWED_ORIGINS", "http://app.example.com")], &["origins.http", "frontend.http"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com,http://localhost:8080")], &["origins.localhost"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com,http://127.0.0.1:8080")], &["origins.localhost"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com,http://[::1]")], &["origins.localhost"]),
    (&[("CSRF_TRUSTED_ORIGINS", "http://old.example.com")], &["origins.http"]),
    (&[("FRONTEND_URL", "http://app.example.com")], &["frontend.http", "frontend.not_allowed"]),
    (&[("FRONTEND_URL", "https://www.example.com/app")], &["frontend.not_allowed"]),
    (&[("SESSION_COOKIE_DOMAIN", ".onrender.com")], &["cookie.public_suffix"]),
    (&[("SESSION_COOKIE_DOMAIN", "co.uk")], &["config.refused"]),
    (&[("TOKEN_TRANSPORT", "cookie")], &[]),
    (&[("TOKEN_TRANSPORT", "cookie"), ("SESSION_COOKIE_DOMAIN", "example.org")], &["cookie.cross_site"]),
    (&[("TOKEN_TRANSPORT", "cookie"), ("RENDER_EXTERNAL_HOSTNAME", "api.example.com")], &[]),
    (
        &[
            ("TOKEN_TRANSPORT", "cookie"),
            ("SESSION_COOKIE_DOMAIN", ""),
            ("CORS_ALLOWED_ORIGINS", "https://app.onrender.com"),
            ("RENDER_EXTERNAL_HOSTNAME", "api.onrender.com"),
        ],
        &["cookie.cross_site"],
    ),
    (&[("TOKEN_TRANSPORT", "cookie"), ("SESSION_COOKIE_DOMAIN", "")], &["cookie.site_unknown"]),
    (&[("EMAIL_URL", "")], &["mail.nowhere"]),
    (&[("EMAIL_FROM", "Latchkey <no-reply@mail>")], &["mail.sender"]),
    (&[("EMAIL_FROM", "no-reply@[192.0.2.1]")], &["config.refused"]),
    (&[("SESSION_COOKIE_DOMAIN", "*.example.com")], &["config.refused"]),
    (&[("EMAIL_URL", "file:outbox")], &["mail.nowhere"]),
    (&[("EMAIL_URL", "console:"), ("EMAIL_VERIFICATION", "mandatory")], &["mail.needed", "mail.nowhere"]),
    (&[("AWS_S3_ENDPOINT_URL", "http://minio.example.com")], &["config.refused"]),
    (&[("BACKUP_AGE_RECIPIENT", "")], &["backup.plain"]),
];

#[test]
fn each_problem_gives_exactly_its_findings() {
    for (changes, expected) in CASES {
        let report = check(changes);
        assert_eq!(ids(&report), *expected, "{changes:?}: {report}");
    }
}

/// The files are then in the working directory, and a test does not know what disk that is on.
#[test]
fn files_without_a_bucket_are_reported() {
    let none = SOUND.iter().filter(|(name, _)| name.starts_with("AWS_")).map(|(name, _)| (*name, ""));
    let report = check(&none.chain([("RENDER", "true")]).collect::<Vec<_>>());
    assert!(ids(&report).contains(&"storage.local"), "{report}");
    assert!(!ids(&report).contains(&"backup.plain"), "{report}");
    let on_the_disk = ["storage.ephemeral", "backup.ephemeral"].map(|id| ids(&report).contains(&id));
    assert!(on_the_disk[0] == on_the_disk[1], "{report}");
}

#[test]
fn a_public_suffix_is_explained() {
    let changes = [("SESSION_COOKIE_DOMAIN", ".onrender.com")];
    let finding = check(&changes).findings.remove(0);
    assert_eq!(finding.variable.as_deref(), Some("SESSION_COOKIE_DOMAIN"));
    assert!(finding.message.contains("browsers drop"), "{finding}");
    assert!(finding.rule.remedy.contains("a domain of your own"), "{finding}");
}

#[test]
fn refused_variables_are_reported_by_name_and_the_rest_is_still_checked() {
    let report =
        check(&[("PORT", "http"), ("DATABASE_URL", "mysql://x"), ("CORS_ALLOWED_ORIGINS", "*,http://a.example")]);
    let refused = report.findings.iter().filter(|finding| finding.rule.id == "config.refused");
    let variables: Vec<_> = refused.filter_map(|finding| finding.variable.as_deref()).collect();
    assert_eq!(variables, ["PORT", "DATABASE_URL", "CORS_ALLOWED_ORIGINS"]);
    assert!(ids(&report).contains(&"origins.http"));
    assert!(!ids(&report).contains(&"database.sqlite"), "SQLite is not configured");
}

#[test]
fn a_development_machine_has_no_finding_by_default() {
    let report = configuration(&Inspection::of(Variables::default()));
    assert_eq!(ids(&report), [""; 0], "{report}");
}

/// Linux keeps `/dev/shm` in memory.
#[cfg(target_os = "linux")]
#[test]
fn a_database_in_memory_is_reported() {
    let report = check(&[("DATABASE_URL", "sqlite:/dev/shm/latchkey.sqlite3")]);
    assert_eq!(ids(&report), ["database.ephemeral", "database.sqlite"], "{report}");
}

/// Findings that depend on the machine or on a server. They have their own tests.
const ELSEWHERE: &[&str] = &[
    "backup.ephemeral",
    "database.ephemeral",
    "database.sqlite",
    "environment.development",
    "storage.ephemeral",
    "storage.local",
    "database.unreachable",
    "database.encoding",
    "database.read_only",
    "database.migrations",
    "database.clock",
    "mail.unreachable",
    "mail.refused",
    "storage.unreachable",
    "redis.unreachable",
    "hashing.fast",
    "hashing.slow",
    "proxy.clients",
    "proxy.ranges",
];

#[test]
fn every_rule_has_a_test() {
    let tested = CASES.iter().flat_map(|(_, expected)| *expected).chain(ELSEWHERE);
    assert_eq!(tested.copied().collect::<BTreeSet<_>>(), RULES.iter().map(|rule| rule.id).collect());
}
