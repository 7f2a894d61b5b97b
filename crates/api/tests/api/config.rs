//! What each variable accepts, and the message for a wrong value.

use crate::support::settings::{KEY, postgres_url, problem, problems, read};
use api::config::{DatabaseUrl, Environment, Origin, Settings, StorageSettings, Variables};
use secrecy::ExposeSecret;

#[test]
fn the_defaults_are_for_a_development_machine() {
    let settings = read(&[]);
    assert_eq!(settings.environment, Environment::Development);
    assert_eq!((settings.server.host.to_string().as_str(), settings.server.port), ("127.0.0.1", 8000));
    assert!(matches!(&settings.database.url, DatabaseUrl::Sqlite(path) if path.ends_with("data/latchkey.sqlite3")));
    let lifetimes = &settings.lifetimes;
    let seconds = [lifetimes.access, lifetimes.refresh, lifetimes.session, lifetimes.leeway].map(|l| l.num_seconds());
    assert_eq!(seconds, [3600, 604_800, 7_776_000, 10]);
    assert_eq!(settings.passwords.bcrypt_cost, 12);
    assert_eq!(settings.passwords.rules.min_length, 8);
    assert!(settings.server.proxies.is_none());
    assert_eq!(settings.log_filter, "info");
    let origins: Vec<_> = settings.origins.cors_allowed.iter().map(Origin::as_str).collect();
    assert_eq!(origins, ["http://127.0.0.1:8080", "http://localhost:8080"]);
}

#[test]
fn production_starts_with_the_django_guides_variables_alone() {
    let of_the_guide = [
        ("DJANGO_ENV", "production"),
        ("DEBUG", "False"),
        ("DB_NAME", "app"),
        ("DB_USER", "app_user"),
        ("DB_PASSWORD", "p@ss/word?"),
        ("DB_HOST", "dpg-abc-a.frankfurt-postgres.render.com"),
        ("DB_PORT", "5432"),
        ("CORS_ALLOWED_ORIGINS", "https://app.onrender.com"),
        ("CSRF_TRUSTED_ORIGINS", "https://app.onrender.com,https://api.onrender.com"),
        ("SESSION_COOKIE_DOMAIN", ".onrender.com"),
        ("PORT", "10000"),
    ];
    let start = Variables::default().with("DJANGO_SECRET_KEY", KEY);
    let variables = of_the_guide.iter().fold(start, |all, (name, value)| all.with(name, *value));
    let settings = Settings::from_variables(variables).unwrap_or_else(|error| panic!("{error}"));
    assert!(settings.environment.is_production());
    assert_eq!(settings.keys.secret_key.expose_secret(), KEY);
    assert_eq!((settings.server.host.to_string().as_str(), settings.server.port), ("0.0.0.0", 10000));
    let url = url::Url::parse(&postgres_url(&settings)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(url.password(), Some("p%40ss%2Fword%3F"));
    assert_eq!((url.username(), url.path()), ("app_user", "/app"));
    assert_eq!(settings.origins.csrf_trusted.len(), 2);
}

#[test]
fn a_wrong_value_names_its_variable_and_the_fix() {
    for (name, value, fix) in [
        ("APP_ENV", "prod", "use development or production"),
        ("DEBUG", "maybe", "True"),
        ("PORT", "http", "0 to 65535"),
        ("PORT", "65536", "0 to 65535"),
        ("PORT", "-1", "0 to 65535"),
        ("PORT", "8000.0", "0 to 65535"),
        ("HOST", "localhost", "use 127.0.0.1 or 0.0.0.0"),
        ("DATABASE_URL", "mysql://a@b/c", "postgres://USER:PASSWORD@HOST/NAME"),
        ("DATABASE_URL", "sqlite:", "sqlite:data/latchkey.sqlite3"),
        ("DATABASE_URL", "sqlite::memory:", "sqlite:data/latchkey.sqlite3"),
        ("DATABASE_POOL_SIZE", "0", "1 to 500"),
        ("CORS_ALLOWED_ORIGINS", "*", "list each origin"),
        ("CORS_ALLOWED_ORIGINS", "https://*.example.com", "list each origin"),
        ("CORS_ALLOWED_ORIGINS", "app.example.com", "https://app.example.com"),
        ("CORS_ALLOWED_ORIGINS", "https://app.example.com/", "write it as https://app.example.com"),
        ("CORS_ALLOWED_ORIGINS", "https://app.example.com/login", "write it as https://app.example.com"),
        ("CORS_ALLOWED_ORIGINS", "https://App.example.com", "write it as https://app.example.com"),
        ("CORS_ALLOWED_ORIGINS", "https://app.example.com:443", "write it as https://app.example.com"),
        ("CORS_ALLOWED_ORIGINS", "null", "https://app.example.com"),
        ("CSRF_TRUSTED_ORIGINS", "ftp://app.example.com", "http:// nor https://"),
        ("ACCESS_TOKEN_LIFETIME", "1h", "default is 3600"),
        ("ACCESS_TOKEN_LIFETIME", "0", "default is 3600"),
        ("REFRESH_TOKEN_LIFETIME", "7 days", "default is 604800"),
        ("SESSION_MAX_AGE", "never", "default is 7776000"),
        ("REFRESH_LEEWAY", "-1", "default is 10"),
        ("REFRESH_LEEWAY", "301", "0 to 300"),
        ("BCRYPT_COST", "3", "4 to 20"),
        ("BCRYPT_COST", "31", "4 to 20"),
        ("PASSWORD_MIN_LENGTH", "6", "8 to 64"),
        ("TRUSTED_PROXY_HOPS", "all", "0 to 16"),
        ("TRUSTED_PROXIES", "private, 10.0.0", "\"10.0.0\" is neither an address, nor a network such as 10.0.0.0/8"),
        ("TRUSTED_PROXIES", "Cloudflare", "private, cloudflare or render"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "10.0.0.1:80", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "[::1]", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "fe80::1%eth0", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "proxy.example.com", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "10.0.0.1 10.0.0.2", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "10.1.2.3/8", "10.0.0.0/8 for the network or 10.1.2.3 for one proxy"),
        ("TRUSTED_PROXIES", "0.0.0.0/0", "list the networks of the proxies"),
        ("TRUSTED_PROXIES", "128.0.0.0/1", "list the networks of the proxies"),
        ("TRUSTED_PROXIES", "2000::/3", "list the networks of the proxies"),
        ("TRUSTED_PROXIES", "::ffff:10.0.0.0/104", "write it as 10.0.0.0/8"),
        ("TRUSTED_PROXIES", ",", "names no network"),
        ("REGISTRATION", "invite", "use open or closed"),
        ("EMAIL_VERIFICATION", "yes", "use optional or mandatory"),
        ("RATE_LIMITS", "none", "use on or off"),
        ("TOKEN_TRANSPORT", "header", "use body or cookie"),
        ("JWT_ALGORITHM", "none", "use HS256"),
        ("DATABASE_URL", "postgres://u@h", "does not name a database"),
        ("DATABASE_URL", "sqlite:data/x.sqlite3?mode=ro", "write sqlite:PATH"),
        ("DATABASE_URL", "sqlite://data/x.sqlite3?mode=rwc&cache=shared", "write sqlite:PATH"),
        ("DATABASE_URL", "sqlite:file:data/x.sqlite3", "write sqlite:PATH"),
        ("DATABASE_URL", "sqlite:?mode=rwc", "needs the path of a file"),
        ("DATABASE_URL", "postgres://u@h/d#e", "write it as %23"),
        ("DATABASE_URL", "postgres://u:50%@h/d", "write it as %25"),
        ("DATABASE_URL", "postgres://u:p@ss:word@h/d", "%40"),
        ("DATABASE_URL", "postgres://u:1/p@h/d", "%2F"),
        ("FRONTEND_URL", "app.example.com", "https://app.example.com"),
        ("FRONTEND_URL", "https://app.example.com/?from=mail", "https://app.example.com"),
        ("FRONTEND_URL", "https://:word@app.example.com", "https://app.example.com"),
        ("SESSION_COOKIE_DOMAIN", "https://example.com", "write it as .example.com"),
        ("SESSION_COOKIE_DOMAIN", ".Example.com", "write it as .example.com"),
        ("SESSION_COOKIE_DOMAIN", "10.0.0.1", "write it as .example.com"),
        ("SESSION_COOKIE_DOMAIN", "com", "a domain of your own"),
        ("SESSION_COOKIE_DOMAIN", ".co.uk", "a domain of your own"),
        ("SESSION_COOKIE_DOMAIN", "xn--p1ai", "a domain of your own"),
        ("SESSION_COOKIE_DOMAIN", "..example.com", "write it as .example.com"),
        ("SESSION_COOKIE_DOMAIN", "*.example.com", "write it as .example.com"),
        ("SESSION_COOKIE_DOMAIN", "-a.com", "write it as .example.com"),
        ("SESSION_COOKIE_DOMAIN", "a_b.example.com", "write it as .example.com"),
        ("SESSION_COOKIE_DOMAIN", "xn--a.example", "write it as .example.com"),
        ("EMAIL_URL", "mail.example.com", "smtp://USER:PASSWORD@HOST:587"),
        ("EMAIL_URL", "smtp:mail.example.com", "smtp://USER:PASSWORD@HOST:587"),
        ("EMAIL_URL", "console", "console:"),
        ("EMAIL_FROM", "Latchkey", "Latchkey <no-reply@example.com>"),
        ("EMAIL_FROM", "a@xn--a.example", "Latchkey <no-reply@example.com>"),
        ("EMAIL_FROM", "a@127.0.0.1", "Latchkey <no-reply@example.com>"),
        ("EMAIL_FROM", "a@-a.example", "Latchkey <no-reply@example.com>"),
        ("EMAIL_FROM", "Latchkey <grüße@example.com>", "ASCII before the @"),
        ("EMAIL_FROM", "Latchkey <no-reply@exämple..de>", "Latchkey <no-reply@example.com>"),
        ("REDIS_URL", "127.0.0.1:6379", "redis://HOST:PORT"),
        ("API_DOCS", "yes", "use open or closed"),
        ("METRICS_TOKEN", "two words", "api generate-secret"),
        ("METRICS_TOKEN", &"a".repeat(4097), "4096 bytes"),
        ("EMAIL_FROM", "Latchkey\r\nBcc: eve <no-reply@example.com>", "Latchkey <no-reply@example.com>"),
        ("EMAIL_FROM", "Latchkey <no-reply@example.com>\nBcc: eve@example.com", "Latchkey <no-reply@example.com>"),
        ("EMAIL_FROM", "\"Latch\nkey\" <no-reply@example.com>", "Latchkey <no-reply@example.com>"),
        ("RUST_LOG", "verbose", "off, error, warn, info, debug or trace"),
        ("RUST_LOG", "info,api=loud", "MODULE=LEVEL"),
        ("SECRET_KEY", "-----BEGIN PRIVATE KEY-----\nMC4C", "random text"),
        ("SECRET_KEY", "{\"keys\":[]}", "random text"),
    ] {
        let message = problem(&[(name, value)], name);
        assert!(message.contains(fix), "{name}={value}: {message:?} does not contain {fix:?}");
    }
}

/// Every token holds them, and a long one would make tokens that the API itself refuses.
#[test]
fn an_issuer_and_an_audience_are_short_and_visible() {
    for name in ["JWT_ISSUER", "JWT_AUDIENCE"] {
        for (value, part) in [
            ("a".repeat(256), "256 bytes"),
            ("ä".repeat(128), "256 bytes"),
            ("a\nb".to_owned(), "invisible"),
            ("a\0b".to_owned(), "invisible"),
            ("\u{200b}".to_owned(), "invisible"),
            ("https://api\u{ad}.example.com".to_owned(), "invisible"),
        ] {
            assert!(problem(&[(name, &value)], name).contains(part), "{value:?}");
        }
        for value in ["https://api.example.com/".to_owned(), "grüße an alle".to_owned(), "a".repeat(255)] {
            read(&[(name, &value)]);
        }
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let wrong = [
        ("PORT", "http"),
        ("BCRYPT_COST", "1"),
        ("CORS_ALLOWED_ORIGINS", "*,x"),
        ("REGISTRATION", "no"),
        ("DB_HOST", "db"),
    ];
    let all = problems(&wrong);
    let names: Vec<_> = all.iter().filter_map(|line| line.split(':').next()).collect();
    for name in ["PORT", "BCRYPT_COST", "CORS_ALLOWED_ORIGINS", "REGISTRATION", "DB_NAME", "DB_USER"] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    assert_eq!(names.iter().filter(|name| **name == "CORS_ALLOWED_ORIGINS").count(), 2);
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    problem(
        &[("DATABASE_URL", "postgres://a@b/c"), ("DB_NAME", "x"), ("DB_USER", "y"), ("DB_HOST", "z")],
        "DATABASE_URL",
    );
    problem(&[("APP_ENV", "development"), ("DJANGO_ENV", "production")], "APP_ENV");
    problem(&[("DJANGO_SECRET_KEY", "another key of thirty-two bytes at least")], "SECRET_KEY");
    problem(&[("ACCESS_TOKEN_LIFETIME", "604800")], "ACCESS_TOKEN_LIFETIME");
    problem(&[("SESSION_MAX_AGE", "604799")], "REFRESH_TOKEN_LIFETIME");
    read(&[("SESSION_MAX_AGE", "604800")]);
    for port in ["none", "0", "65536"] {
        problem(&[("DB_NAME", "x"), ("DB_USER", "y"), ("DB_HOST", "z"), ("DB_PORT", port)], "DB_PORT");
    }
    // The same under both names is no contradiction.
    read(&[("DJANGO_SECRET_KEY", KEY), ("APP_ENV", "development"), ("DJANGO_ENV", "development")]);
}

#[test]
fn a_bucket_is_configured_as_a_whole() {
    const BUCKET: [(&str, &str); 3] =
        [("AWS_STORAGE_BUCKET_NAME", "pictures"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    for (missing, _) in BUCKET {
        let given: Vec<_> = BUCKET.into_iter().filter(|(name, _)| *name != missing).collect();
        assert!(problem(&given, missing).contains("or none of the AWS_*"));
    }
    let with_endpoint = |url| BUCKET.into_iter().chain([("AWS_S3_ENDPOINT_URL", url)]).collect::<Vec<_>>();
    for url in ["account.r2.cloudflarestorage.com", "s3://pictures", "https://key@host", "https://host/pictures/?x"] {
        problem(&with_endpoint(url), "AWS_S3_ENDPOINT_URL");
    }
    let message = problem(&with_endpoint("https://account.r2.cloudflarestorage.com/pictures"), "AWS_S3_ENDPOINT_URL");
    assert!(message.contains("AWS_STORAGE_BUCKET_NAME"), "{message}");
    let StorageSettings::S3(s3) = read(&with_endpoint("https://host/storage/v1/s3/")).storage else { panic!("no S3") };
    assert_eq!(s3.endpoint.as_deref(), Some("https://host/storage/v1/s3"));
    let in_production = |url| [with_endpoint(url), vec![("APP_ENV", "production")]].concat();
    let message = problem(&in_production("http://minio.example.com"), "AWS_S3_ENDPOINT_URL");
    assert!(message.contains("https://"), "{message}");
    for url in ["http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost:9000", "https://minio.example.com"] {
        read(&in_production(url));
    }
    read(&with_endpoint("http://minio.example.com"));
    let wrong: Vec<_> = with_endpoint("https://host").into_iter().chain([("AWS_STORAGE_BUCKET_NAME", "a/b")]).collect();
    problem(&wrong, "AWS_STORAGE_BUCKET_NAME");
}

/// On a developer's machine a mail server that accepts any sender is likely; on the internet none accepts `localhost`.
#[test]
fn a_mail_server_in_production_needs_a_sender() {
    let server = ("EMAIL_URL", "smtp://mail.example.com");
    problem(&[("APP_ENV", "production"), server], "EMAIL_FROM");
    read(&[server]);
    read(&[("APP_ENV", "production"), server, ("EMAIL_FROM", "Latchkey <no-reply@example.com>")]);
}

#[test]
fn production_refuses_settings_for_development() {
    let production = ("APP_ENV", "production");
    for (name, value) in [
        ("DEBUG", "True"),
        ("DEBUG", "1"),
        ("RATE_LIMITS", "off"),
        ("BCRYPT_COST", "9"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "your-super-secret-key-here-make-it-long-and-random"),
        ("SECRET_KEY_FALLBACKS", "short"),
        ("METRICS_TOKEN", "short"),
    ] {
        problem(&[production, (name, value)], name);
    }
    for (name, value) in [("DEBUG", "True"), ("RATE_LIMITS", "off"), ("BCRYPT_COST", "4"), ("SECRET_KEY", "short")] {
        read(&[(name, value)]);
    }
    assert!(read(&[production]).origins.cors_allowed.is_empty(), "no origin is allowed by default");
}

#[test]
fn djangos_spellings_of_a_boolean_are_understood() {
    for value in ["True", "true", "1", "on", "yes", "False", "false", "0", "off", "no", "", " False "] {
        read(&[("DEBUG", value)]);
    }
}

#[test]
fn a_blank_value_counts_as_not_set() {
    let settings = read(&[("DATABASE_URL", " "), ("PORT", ""), ("JWT_ISSUER", ""), ("CORS_ALLOWED_ORIGINS", " , ")]);
    assert_eq!(settings.server.port, 8000);
    assert_eq!(settings.keys.issuer, None);
    assert_eq!(settings.origins.cors_allowed.len(), 2);
}

#[test]
fn a_database_url_is_accepted_as_platforms_write_it() {
    for url in ["postgres://u:p@h:6543/d?sslmode=require", "postgresql://u@h/d"] {
        assert_eq!(postgres_url(&read(&[("DATABASE_URL", url)])), url);
    }
    for (value, path) in
        [("sqlite:a/b.db", "a/b.db"), ("sqlite:///srv/b.db", "/srv/b.db"), ("sqlite:/srv/b.db", "/srv/b.db")]
    {
        let settings = read(&[("DATABASE_URL", value)]);
        assert!(
            matches!(&settings.database.url, DatabaseUrl::Sqlite(found) if found.to_str() == Some(path)),
            "{value}"
        );
    }
}

#[test]
fn fallback_keys_are_a_list() {
    let settings = read(&[("SECRET_KEY_FALLBACKS", "one key, another key,,")]);
    let keys: Vec<_> = settings.keys.fallbacks.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(keys, ["one key", "another key"]);
}

#[test]
fn the_domain_of_a_sender_is_converted_to_ascii() {
    let from = |value: &str| read(&[("EMAIL_FROM", value)]).mail.from;
    assert_eq!(from("no-reply@Exämple.de"), "no-reply@xn--exmple-cua.de");
    let named = from("Grüße <no-reply@exämple.de>");
    assert!(named.contains("Grüße") && named.ends_with("<no-reply@xn--exmple-cua.de>"), "{named}");
    assert_eq!(from("Latchkey <no-reply@example.com>"), "Latchkey <no-reply@example.com>");
}

#[test]
fn options_without_an_effect_are_not_part_of_the_file_name() {
    for url in ["sqlite:data/x.sqlite3?mode=rwc", "sqlite://data/x.sqlite3?mode=rwc", "sqlite:data/x.sqlite3"] {
        let DatabaseUrl::Sqlite(path) = read(&[("DATABASE_URL", url)]).database.url else { panic!("{url}") };
        assert_eq!(path, std::path::Path::new("data/x.sqlite3"), "{url}");
    }
}

/// SQLite keeps its log next to the target of a link, so the path in the settings must be the target's.
#[test]
fn links_to_the_databases_file_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    std::fs::create_dir_all(at("disk/inner")).unwrap();
    let links = [
        ("absolute", at("disk/new.sqlite3")),
        ("relative", "disk/new.sqlite3".into()),
        ("chain", "disk/inner/up".into()),
        ("disk/inner/up", "../new.sqlite3".into()),
        ("folder", "disk/inner".into()),
        ("circle", "circle".into()),
    ];
    for (link, target) in links {
        std::os::unix::fs::symlink(target, at(link)).unwrap();
    }
    let url = |name: &str| format!("sqlite:{}", at(name).display());
    let file_of = |name: &str| {
        let DatabaseUrl::Sqlite(path) = read(&[("DATABASE_URL", &url(name))]).database.url else { panic!("{name}") };
        path
    };
    // The file does not exist yet, and does.
    for _ in 0..2 {
        for name in ["absolute", "relative", "chain", "folder/up", "disk/new.sqlite3"] {
            let file = file_of(name);
            let real = file.parent().unwrap().canonicalize().unwrap().join(file.file_name().unwrap());
            assert_eq!(real, at("disk").canonicalize().unwrap().join("new.sqlite3"), "{name}");
        }
        std::fs::write(at("disk/new.sqlite3"), "").unwrap();
    }
    let message = problem(&[("DATABASE_URL", &url("circle"))], "DATABASE_URL");
    assert!(message.contains("is a symbolic link that leads to no file"), "{message}");
}
