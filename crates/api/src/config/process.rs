//! The process's own environment, and the file beneath it in development.

use super::app_env;
use super::dotenv;
use super::table;
use super::values::Variables;
use std::collections::BTreeMap;
use std::io::ErrorKind;

impl Variables {
    /// The process's own. In development the file `.env` in the working directory gives what the process has not.
    pub fn from_process() -> Self {
        let (mut process, mut unreadable) = (BTreeMap::new(), Vec::new());
        // `vars` would panic on what is not UTF-8. A name that is not cannot be one of ours.
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

    /// A file that is not there says nothing. A message never repeats a line: it may hold a secret.
    fn from_file(name: &str) -> Self {
        let mut all = Self::default();
        match std::fs::read(name) {
            Ok(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => all.take_lines(name, text),
                Err(_) => all.problem(name, "is not UTF-8 text; save it as UTF-8"),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
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
