//! The table of all variables: what is not listed here cannot be read.

/// A variable of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    pub name: &'static str,
    /// Other names that it is read under: the ones of the Django and React services that Latchkey takes over from.
    pub aliases: &'static [&'static str],
    /// Whether its value must never be shown; a URL with a password is secret as a whole.
    pub secret: bool,
    pub read_by: ReadBy,
}

/// Who looks at a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBy {
    Api,
    /// The client's build; the API knows the name only to tell it from a misspelt one.
    ClientBuild,
}

impl Variable {
    const fn plain(name: &'static str) -> Self {
        Self { name, aliases: &[], secret: false, read_by: ReadBy::Api }
    }

    const fn secret(name: &'static str) -> Self {
        Self { secret: true, ..Self::plain(name) }
    }

    const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn of_the_client(self) -> Self {
        Self { read_by: ReadBy::ClientBuild, ..self }
    }

    /// Its name and the others that it is read under.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// In the order of `docs/CONFIGURATION.md`, which has a row for each.
pub const VARIABLES: &[Variable] = &[
    Variable::plain("APP_ENV").or(&["DJANGO_ENV"]),
    Variable::plain("DEBUG"),
    Variable::secret("SECRET_KEY").or(&["DJANGO_SECRET_KEY"]),
    Variable::secret("SECRET_KEY_FALLBACKS"),
    Variable::plain("JWT_ALGORITHM"),
    Variable::secret("JWT_PRIVATE_KEY"),
    Variable::plain("JWT_ISSUER"),
    Variable::plain("JWT_AUDIENCE"),
    Variable::plain("ACCESS_TOKEN_LIFETIME"),
    Variable::plain("REFRESH_TOKEN_LIFETIME"),
    Variable::plain("SESSION_MAX_AGE"),
    Variable::plain("REFRESH_LEEWAY"),
    Variable::secret("DATABASE_URL"),
    Variable::plain("DB_NAME"),
    Variable::plain("DB_USER"),
    Variable::secret("DB_PASSWORD"),
    Variable::plain("DB_HOST"),
    Variable::plain("DB_PORT"),
    Variable::plain("DATABASE_POOL_SIZE"),
    Variable::plain("HOST"),
    Variable::plain("PORT"),
    Variable::plain("TRUSTED_PROXIES"),
    Variable::plain("TRUSTED_PROXY_HOPS"),
    Variable::plain("CORS_ALLOWED_ORIGINS"),
    Variable::plain("CSRF_TRUSTED_ORIGINS"),
    Variable::plain("FRONTEND_URL"),
    Variable::plain("TOKEN_TRANSPORT"),
    Variable::plain("SESSION_COOKIE_DOMAIN"),
    Variable::plain("REGISTRATION"),
    Variable::plain("EMAIL_VERIFICATION"),
    Variable::plain("PASSWORD_MIN_LENGTH"),
    Variable::plain("BCRYPT_COST"),
    Variable::secret("EMAIL_URL"),
    Variable::plain("EMAIL_FROM"),
    Variable::plain("AWS_ACCESS_KEY_ID"),
    Variable::secret("AWS_SECRET_ACCESS_KEY"),
    Variable::plain("AWS_STORAGE_BUCKET_NAME"),
    Variable::plain("AWS_S3_ENDPOINT_URL"),
    Variable::plain("BACKUP_AGE_RECIPIENT"),
    Variable::plain("BACKUP_KEEP"),
    Variable::plain("RATE_LIMITS"),
    Variable::secret("REDIS_URL"),
    Variable::secret("METRICS_TOKEN"),
    Variable::plain("API_DOCS"),
    Variable::plain("RUST_LOG"),
    Variable::plain("RENDER"),
    Variable::plain("RENDER_EXTERNAL_HOSTNAME"),
    Variable::plain("API_BASE_URL").or(&["VITE_API_BASE_URL"]).of_the_client(),
];

/// The row of a variable, by its first name.
pub(super) fn find(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.name == name)
}

/// Whether this is a name of one of them.
pub(super) fn is_known(name: &str) -> bool {
    VARIABLES.iter().flat_map(Variable::names).any(|known| known == name)
}

/// The name that whoever wrote `name` may have meant; `None` for a name of ours and for one that resembles none.
pub(super) fn meant_by(name: &str) -> Option<&'static str> {
    if is_known(name) {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let cut_short = |ours: &str| upper.len() > 6 && upper.contains('_') && ours.starts_with(&upper);
    VARIABLES.iter().flat_map(Variable::names).find(|ours| edits(&upper, ours) <= tolerated(ours) || cut_short(ours))
}

/// How many letters may differ: a short name resembles too many others.
const fn tolerated(name: &str) -> usize {
    if name.len() < 8 { 1 } else { 2 }
}

/// How many letters must be put in, taken out or changed to make one text the other (Levenshtein's distance).
fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_recognised() {
        for (name, meant) in [
            ("SECRET_KEYS", "SECRET_KEY"),
            ("secret_key", "SECRET_KEY"),
            ("DJANGO_SECRETKEY", "DJANGO_SECRET_KEY"),
            ("SECRET_KEY_FALLBACK", "SECRET_KEY_FALLBACKS"),
            ("CORS_ALLOWED_ORIGIN", "CORS_ALLOWED_ORIGINS"),
            ("CORS_ALOWED_ORIGINS", "CORS_ALLOWED_ORIGINS"),
            ("DB_PASS", "DB_PASSWORD"),
            ("DATABSE_URL", "DATABASE_URL"),
            ("AWS_STORAGE_BUCKET", "AWS_STORAGE_BUCKET_NAME"),
            ("TRUSTED_PROXY_HOP", "TRUSTED_PROXY_HOPS"),
            ("TRUSTED_PROXYS", "TRUSTED_PROXIES"),
            ("REDIS_URI", "REDIS_URL"),
        ] {
            assert_eq!(meant_by(name), Some(meant), "{name}");
        }
    }

    #[test]
    fn what_other_programs_read_is_not_taken_for_ours() {
        for name in [
            "PATH",
            "HOME",
            "HOSTNAME",
            "USER",
            "PWD",
            "SHELL",
            "TERM",
            "LANG",
            "PASSWORD",
            "NODE_ENV",
            "NODE_VERSION",
            "PGHOST",
            "PGPASSWORD",
            "AWS_REGION",
            "AWS_SESSION_TOKEN",
            "RENDER_SERVICE_ID",
            "RUST_BACKTRACE",
            "DATABASE_URL_POOLED",
            "DJANGO_SETTINGS_MODULE",
            "SSL_CERT_FILE",
        ] {
            assert_eq!(meant_by(name), None, "{name}");
        }
        let all = || VARIABLES.iter().flat_map(Variable::names);
        assert!(all().all(|name| meant_by(name).is_none()));
    }

    #[test]
    fn no_name_is_listed_twice() {
        let mut names: Vec<_> = VARIABLES.iter().flat_map(Variable::names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
