//! What operators and developers may see.

use super::declare::{settings, variables};
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, Variable, parsed, word};
use secrecy::{ExposeSecret, SecretString};

const CLOSED: (&str, bool) = ("closed", false);

variables! {
    METRICS_TOKEN: Optional<SecretString> = parsed(
        parse_token,
        doc("The Bearer token for `/metrics`, which is closed unless set. In production at least 16 bytes, and at most 4,096.")
            .secret(),
    );
    API_DOCS: Variable<bool> = word(
        &[("open", true), CLOSED],
        doc("Whether `/api/docs/` and `/api/openapi.json` are served."),
    )
    .in_production(CLOSED);
}

/// The minimum length of a token in production.
const TOKEN_MIN_BYTES: usize = 16;

settings! {
    /// What operators and developers may see.
    pub struct OperationSettings {
        /// Without it `/metrics` is closed.
        pub metrics_token: Option<SecretString> = METRICS_TOKEN,
        pub docs_open: bool = API_DOCS,
    }
    checked by check
}

fn check(settings: &OperationSettings, reader: &mut SettingsReader) {
    let length = settings.metrics_token.as_ref().map(|token| token.expose_secret().len());
    if reader.is_production() && length.is_some_and(|length| length < TOKEN_MIN_BYTES) {
        let fix = format!("is shorter than {TOKEN_MIN_BYTES} bytes; make one with `api generate-secret`");
        reader.problem(METRICS_TOKEN.name(), fix);
    }
}

/// The maximum length of a token: it has to fit into the head of a request.
const TOKEN_MAX_BYTES: usize = 4_096;

fn parse_token(value: &str) -> Result<SecretString, String> {
    if value.len() > TOKEN_MAX_BYTES {
        return Err(format!("is longer than {TOKEN_MAX_BYTES} bytes; make one with `api generate-secret`"));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has characters that a header cannot contain; make one with `api generate-secret`".to_owned());
    }
    Ok(value.into())
}
