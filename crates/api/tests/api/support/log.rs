//! What a process writes, line by line, read all the time or not at all.

use super::DEADLINE;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};

/// Lines so far; whoever waits for one is woken by the next.
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
    /// Whether nobody reads, so that the pipe fills up and the process's writes wait.
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

    /// Stops reading, or goes on.
    pub fn stop_reading(&self, stopped: bool) {
        self.0.state.lock().unwrap().stopped = stopped;
        self.0.changed.notify_all();
    }

    /// The first line that contains `part`, now or later.
    pub fn wait_for(&self, part: &str) -> String {
        self.wait_for_line(part, |line| line.contains(part))
    }

    /// The first line that is as asked for, now or later; `what` says what was missing.
    pub fn wait_for_line(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let state = self.0.state.lock().unwrap();
        let missing = |state: &mut State| !state.ended && !state.lines.iter().any(|line| fits(line));
        let (state, _) = self.0.changed.wait_timeout_while(state, DEADLINE, missing).unwrap();
        let found = state.lines.iter().find(|line| fits(line));
        found.unwrap_or_else(|| panic!("no line with {what:?}:\n{}", state.lines.join("\n"))).clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.state.lock().unwrap().lines.clone()
    }

    /// Everything that was said before the end.
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
