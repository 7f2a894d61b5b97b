//! Which database, and how many connections.

use super::hosts;
use super::reader::Reader;
use secrecy::SecretString;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use url::Url;

/// Where the database is. PostgreSQL's URL may hold a password.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    Postgres(SecretString),
    Sqlite(PathBuf),
}

/// The database and the pool.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// `DATABASE_URL` (`postgres://…`, or `sqlite:` and a path), or the five `DB_*`. Default: `data/latchkey.sqlite3`.
    pub url: DatabaseUrl,
    /// `DATABASE_POOL_SIZE`, connections. Default: 10.
    pub pool_size: u32,
}

const DB_PARTS: [&str; 5] = ["DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT"];

impl DatabaseSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let parts = DB_PARTS.map(|name| reader.text(name));
        let url = match (reader.text("DATABASE_URL"), parts.iter().any(Option::is_some)) {
            (Some(_), true) => {
                reader.problem("DATABASE_URL", "DB_NAME and the other DB_* are set, too; remove one of the two");
                None
            }
            (Some(url), false) => parse(reader, &url),
            (None, true) => compose(reader, &parts),
            (None, false) => None,
        };
        Self {
            url: url.unwrap_or_else(|| DatabaseUrl::Sqlite(PathBuf::from("data/latchkey.sqlite3"))),
            pool_size: reader.number("DATABASE_POOL_SIZE", 10, 1..=500),
        }
    }
}

/// The value may hold a password, so no message repeats it.
fn parse(reader: &mut Reader, value: &str) -> Option<DatabaseUrl> {
    if let Some(path) = value.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        // As other programs write it, and what is done anyway.
        let path = path.strip_suffix("?mode=rwc").unwrap_or(path);
        if path.contains('?') || path.starts_with("file:") {
            let fix = "has options, and there are none: the file is opened to read and write, and made if it is missing; write \
                       sqlite:PATH without file: and without ? and what follows";
            reader.problem("DATABASE_URL", fix);
            return None;
        }
        if path.is_empty() || path.contains(":memory:") {
            reader.problem("DATABASE_URL", "needs the path of a file, such as sqlite:data/latchkey.sqlite3");
            return None;
        }
        return Some(DatabaseUrl::Sqlite(PathBuf::from(path)));
    }
    let problem = match Url::parse(value) {
        Ok(url) if !matches!(url.scheme(), "postgres" | "postgresql") => {
            "is neither postgres://USER:PASSWORD@HOST/NAME nor sqlite:PATH"
        }
        // libpq takes anything else for a list of options.
        Ok(url) if !value.starts_with(&format!("{}://", url.scheme())) => {
            "does not begin with postgres:// in lower case; write it as postgres://USER:PASSWORD@HOST/NAME"
        }
        // What follows would be cut off without a word.
        Ok(url) if url.fragment().is_some() => "has a #; write it as %23",
        // The parsers of this program and of libpq end the password at different ones.
        Ok(url) if value.matches('@').count() > 1 || url.path().contains('@') => {
            "has an @ or a / in the password; write them as %40 and %2F"
        }
        Ok(_) if has_lonely_percent(value) => "has a % that begins no escape; write it as %25",
        Ok(url) if url.path().len() < 2 => "does not name a database; write it as postgres://USER:PASSWORD@HOST/NAME",
        // No string of C holds it.
        Ok(_) if value.contains("%00") => "has a %00, which no name and no password can hold; remove it",
        Ok(url) => match with_usable_host(&url) {
            Ok(url) => return Some(DatabaseUrl::Postgres(url.as_str().into())),
            Err(problem) => problem,
        },
        Err(_) => "is neither postgres://USER:PASSWORD@HOST/NAME (with %40 for an @ in the password) nor sqlite:PATH",
    };
    reader.problem("DATABASE_URL", problem);
    None
}

/// In place of a host libpq takes the folder of a socket, too: as `%2Frun%2Fpostgresql`, as `?host=`, or nothing for its own.
fn with_usable_host(url: &Url) -> Result<Url, &'static str> {
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || host.starts_with("%2F") || host.starts_with("%2f") {
        return Ok(url.clone());
    }
    hosts::with_usable_host(url)
}

/// libpq refuses such a URL, and repeats the password when it does.
fn has_lonely_percent(url: &str) -> bool {
    let escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    url.split('%').skip(1).any(|rest| !escape(rest))
}

/// Makes a URL of the guide's five variables.
fn compose(reader: &mut Reader, [name, user, password, host, port]: &[Option<String>; 5]) -> Option<DatabaseUrl> {
    let mut required = |variable: &str, value: &Option<String>| {
        if value.is_none() {
            reader.problem(variable, "is missing; DB_NAME, DB_USER and DB_HOST go together (or set DATABASE_URL)");
        }
        value.clone()
    };
    let (name, user, host) = (required("DB_NAME", name), required("DB_USER", user), required("DB_HOST", host));
    let (name, user, host) = (name?, user?, host?);
    let port = port.as_ref().map_or(Some(5432), |port| port.parse::<u16>().ok().filter(|port| *port != 0));
    let Some(port) = port else {
        reader.problem("DB_PORT", "is not a port number; PostgreSQL's is 5432");
        return None;
    };
    // An address of IPv6 has no brackets where nothing follows it.
    let bracketed = host.parse::<Ipv6Addr>().map(|address| format!("[{address}]"));
    let mut url = Url::parse("postgres://host").ok()?;
    let set = match hosts::usable(bracketed.as_deref().unwrap_or(&host)) {
        Ok(host) => url.set_host(Some(&host)).map_err(|_| "is not a host name"),
        Err(problem) => Err(problem),
    };
    if let Err(problem) = set {
        reader.problem("DB_HOST", problem);
        return None;
    }
    url.set_port(Some(port)).ok()?;
    url.set_username(&escaped(&user)).ok()?;
    url.set_password(password.as_deref().map(escaped).as_deref()).ok()?;
    url.path_segments_mut().ok()?.clear().push(&name);
    Some(DatabaseUrl::Postgres(url.as_str().into()))
}

/// `url` escapes all else in a name and a password, and takes a `%` for the beginning of an escape.
fn escaped(part: &str) -> String {
    part.replace('%', "%25")
}
