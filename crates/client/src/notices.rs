//! What people should know about the connection, in one place.

use crate::policy::{Exchange, LONGEST_ASKED, Trouble};
use leptos::prelude::*;
use std::time::Duration;

/// How long a notice stays when nothing is heard of the server.
const SHOWN: Duration = Duration::from_secs(20);

/// How long an answer may take before people are told why.
pub const SLOW: Duration = Duration::from_secs(4);

/// The notices of this tab; whoever talks to the server reports here, and the status region shows what there is.
#[derive(Debug, Clone, Copy)]
pub struct Notices(RwSignal<Board>);

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something went well.
    Good(&'static str),
    /// Something is not as it should be.
    Warning(String),
}

/// All that there may be to say, the most urgent first.
#[derive(Debug, Default)]
struct Board {
    online: bool,
    trouble: Option<(Trouble, Option<Duration>)>,
    /// How many answers are taking long.
    slow: u32,
    said: Option<&'static str>,
    memory_only: bool,
    /// Whether the server has not heard of a sign-out yet.
    sign_out_unheard: bool,
    /// Counts the troubles, so that an old one's time-out does not hide a new one.
    troubles: u32,
}

impl Notices {
    /// No notices yet.
    pub fn new() -> Self {
        let online = window().navigator().on_line();
        Self(RwSignal::new(Board { online, ..Board::default() }))
    }

    /// Takes note of an answer, or of its absence.
    pub fn heard(self, exchange: &Exchange) {
        // An answer is better evidence than the browser's guess, which knows nothing of a server on this machine.
        if exchange.is_ok() && self.0.with_untracked(|board| !board.online) {
            self.online(true);
        }
        let trouble = match exchange {
            Ok(answer) => answer.trouble().map(|trouble| (trouble, answer.retry_after)),
            Err(silence) => Some((silence.trouble(), None)),
        };
        if let Some((trouble, after)) = trouble {
            self.trouble(trouble, after);
        } else if self.0.with_untracked(|board| board.trouble.is_some()) {
            self.0.update(|board| board.trouble = None);
        }
    }

    /// Takes note of something that passes, and for how long the server wants to be left alone.
    pub fn trouble(self, trouble: Trouble, after: Option<Duration>) {
        let number = self.0.try_update(|board| {
            board.trouble = Some((trouble, after));
            board.troubles = board.troubles.wrapping_add(1);
            board.troubles
        });
        let hide = move || {
            if self.0.with_untracked(|board| Some(board.troubles) == number) {
                self.0.update(|board| board.trouble = None);
            }
        };
        set_timeout(hide, after.unwrap_or_default().clamp(SHOWN, LONGEST_ASKED));
    }

    /// Says that an answer is taking long (`true`), or that it is not any more.
    pub fn slow(self, more: bool) {
        self.0.update(|board| board.slow = if more { board.slow + 1 } else { board.slow.saturating_sub(1) });
    }

    /// Says whether the browser has a network.
    pub fn online(self, online: bool) {
        self.0.update(|board| board.online = online);
    }

    /// Says that tokens cannot be stored in this browser.
    pub fn memory_only(self) {
        self.0.update(|board| board.memory_only = true);
    }

    /// Says whether the server has not heard of a sign-out yet.
    pub fn sign_out_unheard(self, unheard: bool) {
        if self.0.with_untracked(|board| board.sign_out_unheard != unheard) {
            self.0.update(|board| board.sign_out_unheard = unheard);
        }
    }

    /// Shows a short message about something that went well, until the next one or the next page.
    pub fn say(self, message: Option<&'static str>) {
        self.0.update(|board| board.said = message);
    }

    /// What to show now, if anything.
    pub fn current(self) -> Option<Notice> {
        self.0.with(Board::current)
    }
}

impl Default for Notices {
    fn default() -> Self {
        Self::new()
    }
}

impl Board {
    fn current(&self) -> Option<Notice> {
        if !self.online {
            let text = if self.sign_out_unheard {
                "You are offline. The server hears of the sign-out in this browser when the connection is back."
            } else {
                "You are offline. This page goes on when the connection is back."
            };
            return Some(Notice::Warning(text.to_owned()));
        }
        let waking = (self.slow > 0).then_some((Trouble::Waking, None));
        if let Some((trouble, after)) = self.trouble.or(waking) {
            return Some(Notice::Warning(describe(trouble, after)));
        }
        if self.sign_out_unheard {
            let text = concat!(
                "The server has not heard of the sign-out in this browser yet. It is sent again by itself: ",
                "leave this page open, or open it again within a day."
            );
            return Some(Notice::Warning(text.to_owned()));
        }
        let lost = "This browser stores nothing for this site: closing or reloading the page signs you out.";
        let lost = self.memory_only.then(|| Notice::Warning(lost.to_owned()));
        self.said.map(Notice::Good).or(lost)
    }
}

fn describe(trouble: Trouble, after: Option<Duration>) -> String {
    let seconds = after.map_or(0, |after| after.as_secs());
    match trouble {
        Trouble::Unreachable => "The server cannot be reached. Please check your connection.".to_owned(),
        Trouble::Waking => "The server is waking up. This can take up to a minute.".to_owned(),
        Trouble::Busy if seconds > 90 => {
            format!("That was too much at once. Please wait {} minutes.", seconds.div_ceil(60))
        }
        Trouble::Busy if seconds > 1 => format!("That was too much at once. Please wait {seconds} seconds."),
        Trouble::Busy => "That was too much at once. Please wait a moment.".to_owned(),
        Trouble::Odd => "The server has a problem. Please try again in a moment.".to_owned(),
    }
}
