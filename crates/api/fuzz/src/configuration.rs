//! Configuration: lines `NAME=VALUE`, or `@n=VALUE` for the n-th known variable.

use api::config::{Settings, Variables, variables};

/// Planted in every secret; no message contains it by itself.
const MARK: &str = "hunter2";

/// The result is settings, or problems that each begin with a variable's name; neither contains a secret.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Without a key, one would be generated and stored in a file.
    let mut variables = Variables::default().with("SECRET_KEY", format!("0123456789abcdef0123456789abcdef{MARK}"));
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let (name, is_secret) = known(name).unwrap_or((name, false));
        let value = value.replace("\\n", "\n");
        variables = variables.with(name, if is_secret { planted(&value) } else { value });
    }
    let printed = match Settings::from_variables(variables) {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => {
            for problem in &error.problems {
                let name = problem.split(':').next().unwrap_or_default();
                assert!(known(name).is_some(), "a problem without a variable: {problem}");
                assert!(problem.len() > name.len() + 5, "a problem without a description: {problem}");
            }
            error.to_string()
        }
    };
    assert!(!printed.contains(MARK), "a secret is printed: {printed}");
}

/// A variable by its name, or by its index in the table.
fn known(name: &str) -> Option<(&'static str, bool)> {
    let by_number = || variables().nth(name.strip_prefix('@')?.parse().ok()?).map(|found| (found.name, found.secret));
    let mut names = variables().flat_map(|variable| variable.names().map(|name| (name, variable.secret)));
    names.find(|(known, _)| *known == name).or_else(by_number)
}

/// Inserts the mark into a secret so that its form stays valid: in a URL, into the password. The URL of a file has none.
fn planted(value: &str) -> String {
    if ["sqlite:", "file:"].iter().any(|scheme| value.trim_start().starts_with(scheme)) {
        return value.to_owned();
    }
    let at = value.find('@').or_else(|| value.find('\n')).unwrap_or(value.len());
    format!("{}{MARK}{}", &value[..at], &value[at..])
}
