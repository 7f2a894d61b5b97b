//! What is shown to whoever operates the service.

use super::declare::{settings, variables};
use super::reader::SettingsReader;
use super::row::says;
use super::variable::{Optional, Variable, parsed, word};
use secrecy::{ExposeSecret, SecretString};

const CLOSED: (&str, bool) = ("closed", false);

variables! {
    METRICS_TOKEN: Optional<SecretString> = parsed(
        parse_token,
        says("The Bearer token that opens `/metrics`, which is closed unless set. In production at least 16 bytes, and at most 4,096.")
            .secret(),
    );
    API_DOCS: Variable<bool> = word(
        &[("open", true), CLOSED],
        says("Whether `/api/docs/` and `/api/openapi.json` are there."),
    )
    .in_production(CLOSED);
}

/// Fewest bytes of a token that guards something on the open internet.
const TOKEN_MIN_BYTES: usize = 16;

settings! {
    /// What is shown to whoever operates the service.
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

/// Most bytes of it: the head of a request has to hold it.
const TOKEN_MAX_BYTES: usize = 4_096;

fn parse_token(value: &str) -> Result<SecretString, String> {
    if value.len() > TOKEN_MAX_BYTES {
        return Err(format!("is longer than {TOKEN_MAX_BYTES} bytes; make one with `api generate-secret`"));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has characters that no header carries; make one with `api generate-secret`".to_owned());
    }
    Ok(value.into())
}
