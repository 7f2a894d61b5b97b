//! What people should know about the connection, in one place.

use crate::policy::{Answer, Silence, Trouble};
use leptos::prelude::*;
use std::time::Duration;

/// How long a notice stays when nothing is heard of the server.
const SHOWN: Duration = Duration::from_secs(20);

/// How long an answer may take before people are told why.
pub const SLOW: Duration = Duration::from_secs(4);

/// The notices of this tab; whoever talks to the server reports here, and the status region shows what there is.
#[derive(Debug, Clone, Copy)]
pub struct Notices {
    online: RwSignal<bool>,
    trouble: RwSignal<Option<(Trouble, Option<Duration>)>>,
    /// Counts the troubles, so that an old one's time-out does not hide a new one.
    troubles: RwSignal<u32>,
    slow: RwSignal<u32>,
    said: RwSignal<Option<&'static str>>,
    memory_only: RwSignal<bool>,
}

impl Notices {
    /// No notices yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            online: RwSignal::new(window().navigator().on_line()),
            trouble: RwSignal::new(None),
            troubles: RwSignal::new(0),
            slow: RwSignal::new(0),
            said: RwSignal::new(None),
            memory_only: RwSignal::new(false),
        }
    }

    /// Takes note of an answer, or of its absence.
    pub fn heard(self, exchange: &Result<Answer, Silence>) {
        let trouble = match exchange {
            Ok(answer) => answer.trouble().map(|trouble| (trouble, answer.retry_after)),
            Err(silence) => Some((silence.trouble(), None)),
        };
        if let Some((trouble, after)) = trouble {
            self.trouble(trouble, after);
        } else if self.trouble.with_untracked(Option::is_some) {
            self.trouble.set(None);
        }
    }

    /// Takes note of something that passes, and for how long the server wants to be left alone.
    pub fn trouble(self, trouble: Trouble, after: Option<Duration>) {
        self.trouble.set(Some((trouble, after)));
        self.hide_later(after.unwrap_or_default().max(SHOWN));
    }

    fn hide_later(self, delay: Duration) {
        self.troubles.update(|count| *count += 1);
        let number = self.troubles.get_untracked();
        set_timeout(
            move || {
                if self.troubles.get_untracked() == number {
                    self.trouble.set(None);
                }
            },
            delay,
        );
    }

    /// Says that an answer is taking long (`true`), or that it is not any more.
    pub fn slow(self, more: bool) {
        self.slow.update(|count| *count = if more { *count + 1 } else { count.saturating_sub(1) });
    }

    /// Says whether the browser has a network.
    pub fn online(self, online: bool) {
        self.online.set(online);
    }

    /// Says that tokens cannot be stored in this browser.
    pub fn memory_only(self) {
        self.memory_only.set(true);
    }

    /// Shows a short message about something that went well, until the next one or the next page.
    pub fn say(self, message: Option<&'static str>) {
        self.said.set(message);
    }

    /// What to show now, if anything.
    #[must_use]
    pub fn text(self) -> Option<String> {
        if !self.online.get() {
            return Some("You are offline. This page goes on when the connection is back.".to_owned());
        }
        if let Some((trouble, after)) = self.trouble.get() {
            return Some(describe(trouble, after));
        }
        if self.slow.get() > 0 {
            return Some(describe(Trouble::Waking, None));
        }
        let lost = "This browser stores nothing for this site: closing or reloading the page signs you out.";
        self.said.get().or_else(|| self.memory_only.get().then_some(lost)).map(str::to_owned)
    }
}

impl Default for Notices {
    fn default() -> Self {
        Self::new()
    }
}

fn describe(trouble: Trouble, after: Option<Duration>) -> String {
    let seconds = after.map_or(0, |after| after.as_secs());
    match trouble {
        Trouble::Unreachable => "The server cannot be reached. Please check your connection.".to_owned(),
        Trouble::Waking => "The server is waking up. This can take up to a minute.".to_owned(),
        Trouble::Busy if seconds > 90 => format!("That was too much at once. Please wait {} minutes.", seconds.div_ceil(60)),
        Trouble::Busy if seconds > 1 => format!("That was too much at once. Please wait {seconds} seconds."),
        Trouble::Busy => "That was too much at once. Please wait a moment.".to_owned(),
        Trouble::Odd => "The server has a problem. Please try again in a moment.".to_owned(),
    }
}
