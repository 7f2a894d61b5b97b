//! The output of a process, line by line. A test can stop reading it.

use super::DEADLINE;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};

/// The lines so far; each new line wakes the waiting threads.
#[derive(Debug, Clone)]
pub struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
    /// Whether reading has stopped, so that the pipe fills up and the process's writes block.
    stopped: bool,
}

impl Log {
    pub fn of(source: impl Read + Send + 'static) -> Self {
        let log = Self(Arc::default());
        let shared = Arc::clone(&log.0);
        std::thread::spawn(move || {
            for line in BufReader::new(source).lines() {
                shared.push(line.unwrap());
            }
            shared.state.lock().unwrap().ended = true;
            shared.changed.notify_all();
        });
        log
    }

    /// Stops reading, or resumes.
    pub fn stop_reading(&self, stopped: bool) {
        self.0.state.lock().unwrap().stopped = stopped;
        self.0.changed.notify_all();
    }

    /// Waits for the first line that contains `part`.
    pub fn wait_for(&self, part: &str) -> String {
        self.wait_for_line(part, |line| line.contains(part))
    }

    /// Waits for the first line that `matches`; `what` describes it in the panic message.
    pub fn wait_for_line(&self, what: &str, matches: impl Fn(&str) -> bool) -> String {
        let state = self.0.state.lock().unwrap();
        let missing = |state: &mut State| !state.ended && !state.lines.iter().any(|line| matches(line));
        let (state, _) = self.0.changed.wait_timeout_while(state, DEADLINE, missing).unwrap();
        let found = state.lines.iter().find(|line| matches(line));
        found.unwrap_or_else(|| panic!("no line with {what:?}:\n{}", state.lines.join("\n"))).clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.state.lock().unwrap().lines.clone()
    }

    /// All lines, when the output has ended.
    pub fn until_end(&self) -> Vec<String> {
        let state = self.0.state.lock().unwrap();
        self.0.changed.wait_timeout_while(state, DEADLINE, |state| !state.ended).unwrap().0.lines.clone()
    }
}

impl Shared {
    fn push(&self, line: String) {
        let mut state = self.state.lock().unwrap();
        state.lines.push(line);
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| state.stopped).unwrap());
    }
}
