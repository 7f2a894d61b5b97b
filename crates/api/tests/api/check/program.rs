//! The program itself: its output, its files and its exit code.

use super::SOUND;
use crate::support::{Database, TestDb};
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in an empty folder; returns its output and how many files it left.
pub(super) fn api(arguments: &[&str], variables: &[(&str, &str)]) -> (Output, usize) {
    let folder = tempfile::tempdir().unwrap();
    let output = api_in(folder.path(), arguments, variables);
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    (output, left)
}

fn api_in(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_api"));
    program.args(arguments).current_dir(folder).env_clear().envs(variables.iter().copied()).output().unwrap()
}

fn run(arguments: &[&str], changes: &[(&str, &str)]) -> (Option<i32>, String) {
    let variables: Vec<_> = SOUND.iter().chain(changes).copied().collect();
    let (output, _) = api(arguments, &variables);
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_exit_code_follows_the_worst_severity() {
    for (arguments, changes, code) in [
        (&["check"][..], &[][..], 0),
        (&["check"], &[("REDIS_URL", "")], 0),
        (&["check", "--fail-level", "info"], &[("REDIS_URL", "")], 1),
        (&["check"], &[("TRUSTED_PROXY_HOPS", "0")], 1),
        (&["check", "--fail-level", "error"], &[("TRUSTED_PROXY_HOPS", "0")], 0),
        (&["check"], &[("CORS_ALLOWED_ORIGINS", "http://app.example.com")], 2),
        (&["check"], &[("PORT", "http")], 2),
    ] {
        let (status, stdout) = run(arguments, changes);
        assert_eq!(status, Some(code), "{arguments:?} {changes:?}: {stdout}");
    }
}

#[test]
fn the_json_output_is_one_object() {
    let (_, stdout) = run(&["check", "--json"], &[("TRUSTED_PROXY_HOPS", "0"), ("REDIS_URL", "")]);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["worst"], "warning");
    let findings = report["findings"].as_array().unwrap();
    let ids: Vec<_> = findings.iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["proxy.hops", "redis.none"], "the worst is first");
    assert_eq!(findings[0]["severity"], "warning");
    assert_eq!(findings[0]["variable"], "TRUSTED_PROXIES");
    for member in ["message", "remedy"] {
        assert!(findings[0][member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
    }
    let (_, stdout) = run(&["check", "--json"], &[]);
    assert_eq!(
        stdout.split_whitespace().collect::<String>(),
        r#"{"environment":"production","database":"PostgreSQL","worst":null,"findings":[]}"#
    );
}

/// `scripts/dev` reads this JSON instead of parsing `.env` itself, since a second parser could disagree.
#[test]
fn the_environment_that_a_file_sets_is_in_the_json() {
    for (file, environment) in [
        ("", "development"),
        ("APP_ENV=production", "production"),
        ("export APP_ENV=production", "production"),
        ("  export  DJANGO_ENV = 'production' # ours", "production"),
        ("\u{feff}APP_ENV=\"production\"\r\n", "production"),
        ("# APP_ENV=production", "development"),
        ("APP_ENV=development", "development"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), file).unwrap();
        let stdout = api_in(folder.path(), &["check", "--json"], &[("BCRYPT_COST", "4")]).stdout;
        let report: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
        assert_eq!(report["environment"], environment, "{file}");
    }
    let report = |url| {
        let stdout = api_in(&std::env::temp_dir(), &["check", "--json"], &[("DATABASE_URL", url)]).stdout;
        serde_json::from_slice::<serde_json::Value>(&stdout).unwrap()
    };
    assert_eq!(report("postgres://ada:secret@db.example.com/notes")["database"], "PostgreSQL");
    assert_eq!(report("sqlite:data/latchkey.sqlite3")["database"], "SQLite");
    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/dev")).unwrap();
    assert!(script.contains("check --json") && !script.replace(".environment", "").contains(".env"), "{script}");
}

#[test]
fn a_file_in_the_working_directory_can_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let stdout =
        api_in(folder.path(), &["check", "--deploy", "--json"], &[("DATABASE_URL", "sqlite:x.sqlite3")]).stdout;
    let report: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    assert!(!report["findings"].to_string().contains("database.unreachable"), "{report:#}");
}

#[test]
fn a_line_of_the_file_that_could_mean_something_else_is_refused_with_its_number() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "PORT=8000\nSECRET_KEY=hidden-${HOME}\n").unwrap();
    let output = api_in(folder.path(), &["check"], &[]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stdout}");
    assert!(stdout.contains(".env: line 2: SECRET_KEY ") && stdout.contains("single quotes"), "{stdout}");
    assert!(!stdout.contains("hidden"), "{stdout}");
}

/// A link is there on purpose: what it leads to may not be mounted yet, and counting as missing would start with defaults instead.
#[test]
fn a_link_that_leads_to_nothing_is_refused_and_does_not_count_as_missing() {
    let check = |links: &[(&str, &str)], variables: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        for (link, target) in links {
            let link = folder.path().join(link);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(target, link).unwrap();
        }
        let variables: Vec<_> = variables.iter().copied().chain([("BCRYPT_COST", "4")]).collect();
        let output = api_in(folder.path(), &["check"], &variables);
        let (status, start) = (output.status.code(), api_in(folder.path(), &["migrate"], &variables));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            !start.status.success() && !folder.path().join("data/latchkey.sqlite3").exists(),
            "{links:?}: {start:?}"
        );
        (status, text, String::from_utf8(start.stderr).unwrap())
    };
    let key = ("SECRET_KEY", "a-key-for-development");
    for (link, variables, about) in [
        (".env", &[][..], ".env: "),
        ("data", &[key], "DATABASE_URL: "),
        ("data/latchkey.sqlite3", &[key], "DATABASE_URL: "),
        ("db.sqlite3", &[key, ("DATABASE_URL", "sqlite:db.sqlite3")], "DATABASE_URL: "),
        ("disk", &[key, ("DATABASE_URL", "sqlite:disk/inner/db.sqlite3")], "DATABASE_URL: "),
        ("data/files", &[key], "data/files: "),
        ("mails", &[key, ("EMAIL_URL", "file:mails/inner")], "EMAIL_URL: "),
    ] {
        let (status, found, start) = check(&[(link, "missing/target")], variables);
        assert_eq!(status, Some(2), "{link}: {found}");
        let stated = |text: &str| text.contains(about) && text.contains("leads through a symbolic link to nothing");
        assert!(stated(&found) && stated(&start), "{link}: {found}{start}");
    }
    let (_, _, start) = check(&[("data/secret_key", "missing")], &[]);
    assert!(start.contains("data/secret_key: it leads through a symbolic link to nothing"), "{start}");
}

/// When a file sets a variable twice, some programs use the first line and others the last.
#[test]
fn a_variable_that_the_file_sets_twice_is_refused_with_both_lines() {
    let problems = |file: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), format!("BCRYPT_COST=4\n{file}")).unwrap();
        let stdout = api_in(folder.path(), &["check", "--json"], &[]).stdout;
        let report: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let refused = findings.iter().filter(|finding| finding["id"] == "config.refused");
        refused.map(ToString::to_string).collect::<Vec<_>>()
    };
    for (file, line, first) in [
        ("PORT=8000\nPORT=9000", "line 3: PORT ", "line 2"),
        ("SECRET_KEY='hidden\none'\n# again\nexport SECRET_KEY = hidden-two", "line 5: SECRET_KEY ", "line 2"),
        ("PORT=8000\nPORT=\nPORT=9000", "line 4: PORT ", "line 2"),
    ] {
        let found = problems(file);
        assert_eq!(found.len(), 1, "{file}: {found:?}");
        assert!(found[0].contains(line) && found[0].contains(first) && !found[0].contains("hidden"), "{found:?}");
    }
    for file in ["PORT=8000\nPORT=8000", "PORT=\nPORT=8000", "PORT=8000\nPORT=", "OTHERS=1\nOTHERS=2"] {
        assert!(problems(file).is_empty(), "{file}");
    }
    assert_eq!(problems("PORT=8000\nPORT=abc").len(), 1, "the second line is not used");
}

/// Compose passes an unset `PORT: ${PORT}` as a blank variable.
#[test]
fn a_blank_variable_of_the_environment_does_not_hide_the_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "PORT=abc\nDJANGO_ENV=production\n").unwrap();
    for blank in ["", "  "] {
        let blanks = [("PORT", blank), ("DJANGO_ENV", blank), ("BCRYPT_COST", "12")];
        let stdout = String::from_utf8(api_in(folder.path(), &["check"], &blanks).stdout).unwrap();
        assert!(stdout.contains("PORT") && stdout.contains("\"abc\"") && stdout.contains("SECRET_KEY"), "{stdout}");
    }
    let stdout = String::from_utf8(api_in(folder.path(), &["check"], &[("PORT", "8000")]).stdout).unwrap();
    assert!(!stdout.contains("abc"), "the environment has precedence: {stdout}");
}

/// Not even the key or the database of a development machine.
#[test]
fn a_check_leaves_no_file_behind() {
    for arguments in [&["check"][..], &["check", "--deploy"]] {
        let (output, left) = api(arguments, &[("BCRYPT_COST", "4")]);
        assert_eq!(left, 0, "{output:?}");
    }
}

#[test]
fn a_file_in_the_place_of_the_data_folder_is_found() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data"), "in the way").unwrap();
    let output = api_in(folder.path(), &["check", "--deploy"], &[("BCRYPT_COST", "4")]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    for id in ["storage.unreachable", "database.unreachable"] {
        assert!(stdout.contains(&format!("error    {id}")), "{stdout}");
    }
}

/// Findings that do not prevent a start are logged.
#[test]
fn a_start_in_production_logs_what_it_accepts() {
    let db = TestDb::migrated(Database::Sqlite);
    let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
        .current_dir(tempfile::tempdir().unwrap().path())
        .env_clear()
        .envs(SOUND.iter().copied())
        .envs([("DATABASE_URL", db.url()), ("PORT", "0"), ("SESSION_COOKIE_DOMAIN", ".onrender.com")])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap())).map(Result::unwrap);
    let stdout: Vec<_> = lines.take_while(|line| !line.contains("start.listening")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for id in ["check.cookie.public_suffix", "check.database.sqlite"] {
        let line = stdout.iter().find(|line| line.contains(id)).unwrap_or_else(|| panic!("no {id} in {stdout:?}"));
        assert!(line.contains("WARN"), "{line}");
    }
}
