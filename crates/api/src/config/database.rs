//! Which database, and how many connections.

use super::declare::{settings, variables};
use super::hosts;
use super::paths;
use super::reader::SettingsReader;
use super::row::doc;
use super::secret_key;
use super::variable::{AnyVariable, Optional, Variable, number, parsed, text};
use secrecy::SecretString;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use url::Url;

/// Where the database is. PostgreSQL's URL may hold a password.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    Postgres(SecretString),
    /// The file itself: links to it have been followed.
    Sqlite(PathBuf),
}

/// The database where none is named.
const DEFAULT_FILE: &str = "data/latchkey.sqlite3";

variables! {
    DATABASE_URL: Optional<DatabaseUrl> = parsed(
        parse,
        doc(
            "The database: `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST:PORT/NAME` with `%40` for an `@` in the password. \
             A SQLite URL takes no options (`?mode=rwc` is the default anyway), and its path no `~` and no `$HOME`. Refused \
             together with the `DB_*`.",
        )
        .secret()
        .default_value("sqlite:data/latchkey.sqlite3")
        .example("postgres://USER:PASSWORD@HOST:5432/NAME"),
    );
    DB_NAME: Optional<String> = text(
        doc(
            "The name of the PostgreSQL database, as an alternative to `DATABASE_URL` that needs no percent-encoding. Set it \
             together with `DB_USER` and `DB_HOST`.",
        ),
    );
    DB_USER: Optional<String> = text(doc("The user that the API connects as."));
    DB_PASSWORD: Optional<String> = text(doc("The password of `DB_USER`.").secret());
    DB_HOST: Optional<String> = text(doc("The host name or the IP address of the server."));
    DB_PORT: Optional<u16> = parsed(parse_port, doc("The port of `DB_HOST`; 5432 unless set.").example("5432"));
    DATABASE_POOL_SIZE: Variable<u32> = number(10, 1, 500, doc("Connections of one process."));
}

settings! {
    /// The database and the pool.
    pub struct DatabaseSettings {
        pub url: DatabaseUrl = read_url,
        /// Connections.
        pub pool_size: u32 = DATABASE_POOL_SIZE,
    }
}

fn read_url(reader: &mut SettingsReader) -> DatabaseUrl {
    let parts: [&dyn AnyVariable; 5] = [&DB_NAME, &DB_USER, &DB_PASSWORD, &DB_HOST, &DB_PORT];
    let url = match (reader.is_set(&DATABASE_URL), parts.into_iter().any(|part| reader.is_set(part))) {
        (true, true) => {
            let problem = "DB_NAME and the other DB_* are set, too; remove one of the two";
            reader.problem(DATABASE_URL.name(), problem);
            None
        }
        (true, false) => reader.find(&DATABASE_URL),
        (false, true) => compose(reader),
        (false, false) => {
            let file = sqlite_file(DEFAULT_FILE).map_err(|problem| reader.problem(DATABASE_URL.name(), problem));
            file.ok().map(DatabaseUrl::Sqlite)
        }
    };
    url.unwrap_or_else(|| DatabaseUrl::Sqlite(PathBuf::from(DEFAULT_FILE)))
}

/// The value may hold a password, so no message repeats it.
fn parse(value: &str) -> Result<DatabaseUrl, String> {
    if let Some(path) = value.strip_prefix("sqlite:") {
        return Ok(DatabaseUrl::Sqlite(parse_sqlite(path)?));
    }
    let url = parse_postgres(value)?;
    refuse_unknown_words(&url)?;
    Ok(DatabaseUrl::Postgres(url.as_str().into()))
}

fn parse_sqlite(given: &str) -> Result<PathBuf, &'static str> {
    let path = given.strip_prefix("//").unwrap_or(given);
    // Other programs write it, and it is the default here.
    let path = path.strip_suffix("?mode=rwc").unwrap_or(path);
    if path.contains('?') || path.starts_with("file:") {
        return Err(
            "has options, and there are none: the file is opened to read and write, and made if it is missing; write \
                    sqlite:PATH without file: and without ? and what follows",
        );
    }
    if path.is_empty() || path.contains(":memory:") {
        return Err("needs the path of a file, such as sqlite:data/latchkey.sqlite3");
    }
    if given.starts_with("//") && reads_otherwise(path) {
        return Err(
            "may be in the working directory or in the root folder, as programs read it; write sqlite:PATH for the \
                    former and sqlite:/PATH for the latter",
        );
    }
    let file = sqlite_file(path)?;
    if paths::same(&file, secret_key::DEVELOPMENT_KEY) {
        return Err("names the file that keeps the development key; write another one");
    }
    Ok(file)
}

/// SQLite keeps its log next to the file itself, not next to a link to it.
fn sqlite_file(path: &str) -> Result<PathBuf, &'static str> {
    paths::behind_links(paths::usable_file(path)?)
}

/// Folders in the root directory of a machine.
const OF_THE_ROOT: [&str; 10] = ["etc", "home", "mnt", "opt", "root", "run", "srv", "tmp", "usr", "var"];

/// Whether other programs read `sqlite://` before this path as another file. For Django, `sqlite:///db.sqlite3` is in the
/// working directory; `sqlite://tmp/db.sqlite3` lacks a slash.
fn reads_otherwise(path: &str) -> bool {
    match path.strip_prefix('/') {
        Some(rest) => !rest.contains('/'),
        None => path.split_once('/').is_some_and(|(folder, _)| OF_THE_ROOT.contains(&folder)),
    }
}

fn parse_postgres(value: &str) -> Result<Url, &'static str> {
    let other = "is neither postgres://USER:PASSWORD@HOST/NAME (with %40 for an @ in the password) nor sqlite:PATH";
    let url = Url::parse(value).map_err(|_| other)?;
    match url {
        url if !matches!(url.scheme(), "postgres" | "postgresql") => {
            Err("is neither postgres://USER:PASSWORD@HOST/NAME nor sqlite:PATH")
        }
        // libpq reads anything else as a list of options.
        url if !value.starts_with(&format!("{}://", url.scheme())) => {
            Err("does not begin with postgres:// in lower case; write it as postgres://USER:PASSWORD@HOST/NAME")
        }
        // What follows would be cut off silently.
        url if url.fragment().is_some() => Err("has a #; write it as %23"),
        // The parsers of this program and of libpq end the password at different ones.
        url if value.matches('@').count() > 1 || url.path().contains('@') => {
            Err("has an @ or a / in the password; write them as %40 and %2F")
        }
        _ if has_lonely_percent(value) => Err("has a % that begins no escape; write it as %25"),
        url if url.path().len() < 2 => Err("does not name a database; write it as postgres://USER:PASSWORD@HOST/NAME"),
        // A C string cannot contain it.
        _ if value.contains("%00") => Err(hosts::HAS_NUL),
        // libpq uses the whole path as the name.
        url if url.path().strip_prefix('/').is_some_and(|name| name.contains('/')) => {
            Err("has a / in the database's name; remove it and what follows, or write it as %2F")
        }
        url => with_usable_host(&url),
    }
}

/// The options of libpq that are one of a few words, and these (<https://www.postgresql.org/docs/current/libpq-connect.html>).
const WORDS: [(&str, &[&str]); 7] = [
    ("sslmode", &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
    ("sslnegotiation", &["postgres", "direct"]),
    ("sslcertmode", &["disable", "allow", "require"]),
    ("gssencmode", &["disable", "prefer", "require"]),
    ("channel_binding", &["disable", "prefer", "require"]),
    ("target_session_attrs", &["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]),
    ("load_balance_hosts", &["disable", "random"]),
];

fn refuse_unknown_words(url: &Url) -> Result<(), String> {
    let words_of = |name: &str| WORDS.iter().find(|(option, _)| *option == name).map(|(_, words)| *words);
    for (name, value) in url.query_pairs() {
        if let Some(words) = words_of(&name).filter(|words| !words.contains(&value.as_ref())) {
            return Err(format!("has an unknown {name}; use one of {}", words.join(", ")));
        }
    }
    Ok(())
}

/// Instead of a host, libpq also takes the folder of a socket: as `%2Frun%2Fpostgresql`, as `?host=`, or nothing for its own.
fn with_usable_host(url: &Url) -> Result<Url, &'static str> {
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || host.starts_with("%2F") || host.starts_with("%2f") {
        return Ok(url.clone());
    }
    hosts::with_usable_host(url)
}

/// libpq refuses such a URL with a message that repeats the password.
fn has_lonely_percent(url: &str) -> bool {
    let escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    url.split('%').skip(1).any(|rest| !escape(rest))
}

fn parse_port(value: &str) -> Result<u16, String> {
    let port = value.parse().ok().filter(|port| *port != 0);
    port.ok_or_else(|| "is not a port number; PostgreSQL's is 5432".to_owned())
}

/// Builds a URL from the Django guide's five variables.
fn compose(reader: &mut SettingsReader) -> Option<DatabaseUrl> {
    let mut required = |variable: &Optional<String>| {
        let value = reader.find(variable);
        if value.is_none() {
            let fix = "is missing; DB_NAME, DB_USER and DB_HOST go together (or set DATABASE_URL)";
            reader.problem(variable.name(), fix);
        }
        value
    };
    let name = required(&DB_NAME);
    let user = required(&DB_USER);
    let host = required(&DB_HOST);
    let (Some(name), Some(user), Some(host)) = (name, user, host) else { return None };
    let port = reader.find(&DB_PORT).or_else(|| (!reader.is_set(&DB_PORT)).then_some(5432))?;
    // People write an IPv6 address without brackets where no port follows.
    let bracketed = host.parse::<Ipv6Addr>().map(|address| format!("[{address}]"));
    let mut url = Url::parse("postgres://host").ok()?;
    let set = match hosts::usable(bracketed.as_deref().unwrap_or(&host)) {
        Ok(host) => url.set_host(Some(&host)).map_err(|_| "is not a host name"),
        Err(problem) => Err(problem),
    };
    if let Err(problem) = set {
        reader.problem(DB_HOST.name(), problem);
        return None;
    }
    url.set_port(Some(port)).ok()?;
    url.set_username(&escaped(&user)).ok()?;
    url.set_password(reader.find(&DB_PASSWORD).as_deref().map(escaped).as_deref()).ok()?;
    url.path_segments_mut().ok()?.clear().push(&name);
    Some(DatabaseUrl::Postgres(url.as_str().into()))
}

/// `url` escapes everything else in a name and a password, but takes a `%` as the beginning of an escape.
fn escaped(part: &str) -> String {
    part.replace('%', "%25")
}
