//! Reads the process's environment, and in development the file `.env`.

use super::app_env;
use super::dotenv;
use super::paths;
use super::table;
use super::values::Variables;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

impl Variables {
    /// The process's environment. In development the file `.env` in the working directory provides what it lacks.
    pub fn from_process() -> Self {
        let mut process = BTreeMap::new();
        let mut unreadable = Vec::new();
        // `vars` would panic on text that is not UTF-8. No known name is other than UTF-8.
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => _ = process.insert(name, value),
                (Ok(name), Err(_)) if table::is_known(&name) => unreadable.push(name),
                _ => {}
            }
        }
        let process = Self { values: process, problems: Vec::new() };
        let mut all = if app_env::is_production(&process) { Self::default() } else { Self::from_file(".env") };
        for (name, value) in process.values {
            all.add(name, value);
        }
        for name in unreadable {
            all.problem(&name, "is not UTF-8 text; write it again");
        }
        all
    }

    /// Reads a file, which may be missing. A message never repeats a line, which may hold a secret.
    fn from_file(name: &str) -> Self {
        let mut all = Self::default();
        match std::fs::read(name) {
            Ok(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => all.take_lines(name, text),
                Err(_) => all.problem(name, "is not UTF-8 text; save it as UTF-8"),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if paths::is_dangling(Path::new(name)) {
                    all.problem(name, paths::DANGLING);
                }
            }
            Err(error) => all.problem(name, format_args!("cannot be read: {error}")),
        }
        all
    }

    fn take_lines(&mut self, file: &str, text: &str) {
        for entry in dotenv::read(text) {
            match entry {
                Ok((variable, value)) => self.add(variable, value),
                Err(problem) => self.problem(file, problem),
            }
        }
    }
}
