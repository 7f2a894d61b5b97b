//! Configuration: lines `NAME=VALUE`, or `@n=VALUE` for the n-th variable that there is.

use api::config::{Settings, Variables};

/// What the program reads, and what it must never say again.
const NAMES: [(&str, bool); 45] = [
    ("APP_ENV", false),
    ("DJANGO_ENV", false),
    ("DEBUG", false),
    ("SECRET_KEY", true),
    ("DJANGO_SECRET_KEY", true),
    ("SECRET_KEY_FALLBACKS", true),
    ("JWT_ALGORITHM", false),
    ("JWT_PRIVATE_KEY", true),
    ("JWT_ISSUER", false),
    ("JWT_AUDIENCE", false),
    ("DATABASE_URL", true),
    ("DB_NAME", false),
    ("DB_USER", false),
    ("DB_PASSWORD", true),
    ("DB_HOST", false),
    ("DB_PORT", false),
    ("DATABASE_POOL_SIZE", false),
    ("HOST", false),
    ("PORT", false),
    ("TRUSTED_PROXY_HOPS", false),
    ("CORS_ALLOWED_ORIGINS", false),
    ("CSRF_TRUSTED_ORIGINS", false),
    ("FRONTEND_URL", false),
    ("TOKEN_TRANSPORT", false),
    ("SESSION_COOKIE_DOMAIN", false),
    ("ACCESS_TOKEN_LIFETIME", false),
    ("REFRESH_TOKEN_LIFETIME", false),
    ("SESSION_MAX_AGE", false),
    ("REFRESH_LEEWAY", false),
    ("REGISTRATION", false),
    ("EMAIL_VERIFICATION", false),
    ("PASSWORD_MIN_LENGTH", false),
    ("BCRYPT_COST", false),
    ("EMAIL_URL", true),
    ("EMAIL_FROM", false),
    ("AWS_ACCESS_KEY_ID", false),
    ("AWS_SECRET_ACCESS_KEY", true),
    ("AWS_STORAGE_BUCKET_NAME", false),
    ("AWS_S3_ENDPOINT_URL", false),
    ("RATE_LIMITS", false),
    ("REDIS_URL", true),
    ("METRICS_TOKEN", true),
    ("API_DOCS", false),
    ("RUST_LOG", false),
    ("LOG_FORMAT", false),
];

/// Planted in every secret; no word of ours has it.
const MARK: &str = "hunter2";

/// Settings or problems, each of which begins with a variable's name; no secret in either.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Without a key one would be made and kept in a file.
    let mut variables = Variables::default().with("SECRET_KEY", format!("0123456789abcdef0123456789abcdef{MARK}"));
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let (name, is_secret) = known(name).unwrap_or((name, false));
        let value = value.replace("\\n", "\n");
        variables = variables.with(name, if is_secret { planted(&value) } else { value });
    }
    let told = match Settings::from_variables(variables) {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => {
            for problem in &error.problems {
                let name = problem.split(':').next().unwrap_or_default();
                assert!(known(name).is_some(), "a problem of no variable: {problem}");
                assert!(problem.len() > name.len() + 5, "a problem without words: {problem}");
            }
            error.to_string()
        }
    };
    assert!(!told.contains(MARK), "a secret is told: {told}");
}

fn known(name: &str) -> Option<(&'static str, bool)> {
    let by_number = || NAMES.get(name.strip_prefix('@')?.parse::<usize>().ok()?);
    NAMES.iter().find(|(known, _)| *known == name).or_else(by_number).copied()
}

/// The mark goes into the middle of a secret, so that its form stays what it was; a URL's is its password.
fn planted(value: &str) -> String {
    let at = value.find('@').or_else(|| value.find('\n')).unwrap_or(value.len());
    format!("{}{MARK}{}", &value[..at], &value[at..])
}
