//! Every variable that holds an address: one that can never be reached is refused at the start, and a non-ASCII name is
//! converted, in all variables alike.

use crate::support::settings::{postgres_url, problem, read};
use api::config::{MailUrl, StorageSettings};
use secrecy::ExposeSecret;

const BUCKET: [(&str, &str); 3] =
    [("AWS_STORAGE_BUCKET_NAME", "pictures"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
const DATABASE: [(&str, &str); 2] = [("DB_NAME", "n"), ("DB_USER", "u")];

/// A variable that holds an address, how a value is written around a host, and the variables that it needs.
struct Setting {
    name: &'static str,
    around: fn(&str) -> String,
    others: &'static [(&'static str, &'static str)],
    /// The address as the settings hold it.
    used: fn(&[(&str, &str)]) -> String,
}

/// All such variables; a new one is added here.
const SETTINGS: [Setting; 10] = [
    Setting {
        name: "DATABASE_URL",
        around: |host| format!("postgres://u:p@{host}/d"),
        others: &[],
        used: |variables| postgres_url(&read(variables)),
    },
    Setting { name: "DB_HOST", around: str::to_owned, others: &DATABASE, used: |set| postgres_url(&read(set)) },
    Setting {
        name: "REDIS_URL",
        around: |host| format!("redis://:p@{host}/0"),
        others: &[],
        used: |set| read(set).limits.redis_url.unwrap().expose_secret().to_owned(),
    },
    Setting { name: "EMAIL_URL", around: |host| format!("smtp://u:p@{host}"), others: &[], used: server },
    Setting { name: "EMAIL_URL", around: |host| format!("smtps://u:p@{host}"), others: &[], used: server },
    Setting {
        name: "AWS_S3_ENDPOINT_URL",
        around: |host| format!("https://{host}"),
        others: &BUCKET,
        used: |set| match read(set).storage {
            StorageSettings::S3(s3) => s3.endpoint.unwrap(),
            StorageSettings::Folder(_) => panic!("no bucket"),
        },
    },
    Setting {
        name: "FRONTEND_URL",
        around: |host| format!("https://{host}/app"),
        others: &[],
        used: |set| read(set).origins.frontend_url.unwrap(),
    },
    Setting {
        name: "CORS_ALLOWED_ORIGINS",
        around: |host| format!("https://{host}"),
        others: &[],
        used: |set| read(set).origins.cors_allowed[0].as_str().to_owned(),
    },
    Setting {
        name: "CSRF_TRUSTED_ORIGINS",
        around: |host| format!("https://{host}"),
        others: &[],
        used: |set| read(set).origins.csrf_trusted[0].as_str().to_owned(),
    },
    Setting {
        name: "SESSION_COOKIE_DOMAIN",
        around: |host| format!(".{host}"),
        others: &[],
        used: |set| read(set).transport.cookie_domain.unwrap(),
    },
];

fn server(variables: &[(&str, &str)]) -> String {
    match read(variables).mail.url {
        MailUrl::Smtp(url) => url.expose_secret().to_owned(),
        other => panic!("{other:?}"),
    }
}

impl Setting {
    fn with<'a>(&self, value: &'a str) -> Vec<(&'static str, &'a str)> {
        [self.others, &[]].concat().into_iter().chain([(self.name, value)]).collect()
    }

    fn is_a_name(&self) -> bool {
        matches!(self.name, "DB_HOST" | "SESSION_COOKIE_DOMAIN")
    }
}

#[test]
fn a_non_ascii_name_is_converted_in_every_variable() {
    for setting in SETTINGS {
        for name in ["exämple.de", "api.exämple.de", "例え.テスト"] {
            let value = (setting.around)(name);
            let used = (setting.used)(&setting.with(&value));
            let expected = name.replace("exämple", "xn--exmple-cua").replace("例え.テスト", "xn--r8jz45g.xn--zckzah");
            assert!(used.contains(&expected) && used.is_ascii(), "{}={value} is {used}", setting.name);
        }
    }
}

#[test]
fn a_valid_address_is_used_as_it_was_written() {
    for setting in SETTINGS {
        let value = (setting.around)("my-host.example.com");
        let used = (setting.used)(&setting.with(&value));
        assert!(value.contains(&used) || used.contains(&value), "{}={value} is {used}", setting.name);
    }
}

#[test]
fn a_host_that_no_resolver_can_find_is_refused_in_every_variable() {
    let long = format!("{}.example.com", "a".repeat(64));
    for setting in SETTINGS {
        for host in ["a..example.com", "256.1.1.1", "1.2.3.4.5", "a b.example.com", "exämple..de", &long] {
            let value = (setting.around)(host);
            let message = problem(&setting.with(&value), setting.name);
            assert!(!message.contains("u:p@"), "{message}");
        }
    }
}

#[test]
fn port_zero_is_refused_in_every_variable_with_a_port() {
    for setting in SETTINGS.iter().filter(|setting| !setting.is_a_name()) {
        let value = (setting.around)("host.example.com:0");
        let message = problem(&setting.with(&value), setting.name);
        assert!(message.contains("port 0"), "{message}");
    }
}

/// With each of these values the process would start, and then always fail or connect to something else.
#[test]
fn an_ambiguous_address_is_refused_with_the_fix() {
    for (name, value, fix) in [
        ("DATABASE_URL", "Postgres://u:p@h/d", "in lower case"),
        ("DATABASE_URL", "postgres:u@h/d", "postgres://"),
        ("DATABASE_URL", "postgres://u:p%00@h/d", "%00"),
        ("DATABASE_URL", "postgres://u:1?p@h/d", "USER:PASSWORD"),
        ("DATABASE_URL", "sqlite:", "path of a file"),
        ("DATABASE_URL", "sqlite://", "path of a file"),
        ("DATABASE_URL", "sqlite:~/x.sqlite3", "whole path"),
        ("DATABASE_URL", "sqlite:~ada/x.sqlite3", "whole path"),
        ("DATABASE_URL", "sqlite:$HOME/x.sqlite3", "whole path"),
        ("DATABASE_URL", "sqlite:/srv/${NAME}.sqlite3", "whole path"),
        ("DATABASE_URL", "sqlite:data\n/x.sqlite3", "control character"),
        ("DATABASE_URL", "sqlite:dir/", "path of a file"),
        ("DATABASE_URL", "sqlite:dir/.", "path of a file"),
        ("DATABASE_URL", "sqlite:..", "path of a file"),
        ("DATABASE_URL", "sqlite:/", "path of a file"),
        ("DATABASE_URL", "sqlite:src", "path of a file"),
        ("DATABASE_URL", "sqlite://tmp/x.sqlite3", "sqlite:/PATH"),
        ("DATABASE_URL", "sqlite://var/lib/x.sqlite3", "sqlite:/PATH"),
        ("DATABASE_URL", "sqlite:///db.sqlite3", "sqlite:PATH"),
        ("DATABASE_URL", "sqlite:data/secret_key", "development key"),
        ("DATABASE_URL", "sqlite://./data//secret_key", "development key"),
        ("DATABASE_URL", "postgres://u:p@h/d?sslmode=bogus", "verify-full"),
        ("DATABASE_URL", "postgres://u:p@h/d?sslmode=", "verify-full"),
        ("DATABASE_URL", "postgres://u:p@h/d?target_session_attrs=bogus", "read-write"),
        ("DATABASE_URL", "postgres://u:p@h/d?sslmode=require&channel_binding=maybe", "prefer"),
        ("DATABASE_URL", "postgres://u:p@h/d?sslmode=require&sslmode=no-verify", "verify-full"),
        ("DATABASE_URL", "postgres://u:p@h/a/b", "%2F"),
        ("DATABASE_URL", "postgres://u:p@h/d/", "%2F"),
        ("REDIS_URL", "redis://secret@h:6379", "redis://:PASSWORD@HOST"),
        ("REDIS_URL", "redis://u:1/p@h:6379", "%2F"),
        ("REDIS_URL", "redis://u:1?p@h:6379", "%3F"),
        ("REDIS_URL", "redis:h:6379", "redis://HOST:PORT"),
        ("REDIS_URL", "rediss://h#insecure", "remove it"),
        ("REDIS_URL", "rediss://:p@h:6379/0#insecure", "remove it"),
        ("REDIS_URL", "redis://:1#p@h:6379", "redis://HOST:PORT"),
        ("REDIS_URL", "redis://h/0?x", "options"),
        ("REDIS_URL", "redis://h?db=2", "options"),
        ("REDIS_URL", "redis://h/cache", "redis://HOST:PORT/0"),
        ("REDIS_URL", "redis://h/-1", "redis://HOST:PORT/0"),
        ("REDIS_URL", "redis://:p%00@h", "%00"),
        ("EMAIL_URL", "smtp://h/path", "path"),
        ("EMAIL_URL", "smtps://u:p@h:465/path?tls=required", "path"),
        ("EMAIL_URL", "smtps://u:p%00@h", "%00"),
        ("EMAIL_URL", "smtp://u%00:p@h", "%00"),
        ("EMAIL_URL", "file:/dev/null", "path of a folder"),
        ("EMAIL_URL", "file:///dev/null", "path of a folder"),
        ("EMAIL_URL", "file:~/mails", "whole path"),
        ("EMAIL_URL", "file:$HOME/mails", "whole path"),
        ("EMAIL_URL", "file:mails\nPORT=1", "control character"),
        ("REDIS_URL", "http://h:6379", "redis://HOST:PORT"),
        ("EMAIL_URL", "smtp://u:1/p@h", "%2F"),
        ("EMAIL_URL", "smtp://u:1?p@h", "%3F"),
        ("EMAIL_URL", "smtp://u:1#p@h", "smtp://USER"),
        ("EMAIL_URL", "https://u:p@h", "smtp://USER"),
        ("FRONTEND_URL", "https://", "https://app.example.com"),
        ("FRONTEND_URL", "mailto:ada@example.com", "https://app.example.com"),
        ("CORS_ALLOWED_ORIGINS", "https://u@exämple.de", "write it as https://xn--exmple-cua.de"),
        ("CORS_ALLOWED_ORIGINS", "https://exämple.de/", "write it as https://xn--exmple-cua.de"),
        ("SESSION_COOKIE_DOMAIN", "127.1", "write it as .example.com"),
        ("SESSION_COOKIE_DOMAIN", "[::1]", "write it as .example.com"),
    ] {
        let message = problem(&[(name, value)], name);
        assert!(
            message.contains(fix) && !message.contains("secret"),
            "{name}={value}: {message:?} does not contain {fix:?}"
        );
    }
    for (name, value) in [
        ("AWS_S3_ENDPOINT_URL", "https://:word@host"),
        ("AWS_STORAGE_BUCKET_NAME", ".."),
        ("AWS_STORAGE_BUCKET_NAME", "-pictures"),
        ("AWS_STORAGE_BUCKET_NAME", "bilder-für-alle"),
        ("AWS_ACCESS_KEY_ID", "two words"),
        ("AWS_ACCESS_KEY_ID", "schlüssel"),
    ] {
        let set: Vec<_> = BUCKET.into_iter().filter(|(other, _)| *other != name).chain([(name, value)]).collect();
        problem(&set, name);
    }
}

/// Forms that other programs write, or that have always been accepted, keep working.
#[test]
fn an_unambiguous_address_is_accepted() {
    for (name, value) in [
        ("DATABASE_URL", "sqlite:x.sqlite3"),
        ("DATABASE_URL", "sqlite:/x.sqlite3"),
        ("DATABASE_URL", "sqlite:////x.sqlite3"),
        ("DATABASE_URL", "sqlite://data/x.sqlite3"),
        ("DATABASE_URL", "sqlite:///srv/x.sqlite3"),
        ("DATABASE_URL", "sqlite:tmp/x.sqlite3"),
        ("DATABASE_URL", "sqlite:a/~x$y.sqlite3"),
        ("DATABASE_URL", "sqlite:other/data/secret_key"),
        ("DATABASE_URL", "postgres://u:p@h/a%2Fb"),
        ("DATABASE_URL", "postgres://u:p@h/d?sslmode=verify-full&connect_timeout=5"),
        ("REDIS_URL", "redis://h"),
        ("REDIS_URL", "rediss://h/"),
        ("REDIS_URL", "redis://h/15?protocol=resp3"),
        ("REDIS_URL", "redis://:p%23@h/0"),
        ("EMAIL_URL", "file:"),
        ("EMAIL_URL", "file:src"),
        ("EMAIL_URL", "file:/srv/not/made/yet"),
        ("EMAIL_URL", "smtp://h/"),
        ("EMAIL_URL", "smtp://h/?tls=required"),
    ] {
        read(&[(name, value)]);
    }
}

/// libpq looks for a folder of sockets where the host begins with a slash.
#[test]
fn a_socket_of_postgresql_is_not_checked_as_a_host() {
    for url in ["postgres://u@%2Frun%2Fpostgresql/d", "postgres:///d?host=/run/postgresql", "postgres:///d"] {
        assert_eq!(postgres_url(&read(&[("DATABASE_URL", url)])), url);
    }
}

#[test]
fn the_parts_of_a_database_are_used_as_they_were_written() {
    let parts = |name, value| {
        let set = [("DB_NAME", "n"), ("DB_USER", "u"), ("DB_PASSWORD", "p"), ("DB_HOST", "h")];
        let set: Vec<_> = set.into_iter().filter(|(other, _)| *other != name).chain([(name, value)]).collect();
        postgres_url(&read(&set))
    };
    for (name, value, url) in [
        ("DB_PASSWORD", "50%off", "postgres://u:50%25off@h:5432/n"),
        ("DB_PASSWORD", "a%41", "postgres://u:a%2541@h:5432/n"),
        ("DB_USER", "a%20b", "postgres://a%2520b:p@h:5432/n"),
        ("DB_NAME", "a%20b", "postgres://u:p@h:5432/a%2520b"),
        ("DB_HOST", "::1", "postgres://u:p@[::1]:5432/n"),
        ("DB_HOST", "[::1]", "postgres://u:p@[::1]:5432/n"),
    ] {
        assert_eq!(parts(name, value), url);
    }
}

#[test]
fn a_link_in_a_mail_has_no_blanks() {
    let frontend = |url| read(&[("FRONTEND_URL", url)]).origins.frontend_url.unwrap();
    assert_eq!(frontend("https://App.example.com/my app/"), "https://app.example.com/my%20app");
    assert_eq!(frontend("https://app.example.com/über"), "https://app.example.com/%C3%BCber");
}
