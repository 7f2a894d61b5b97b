//! Messages about the connection and about finished actions.

use crate::policy::{FetchResult, MAX_REQUESTED_WAIT, TransientError};
use leptos::prelude::*;
use std::borrow::Cow;
use std::time::Duration;

/// How long a notice about the connection stays when no response follows.
const SHOWN: Duration = Duration::from_secs(20);

/// How long a response may take before the page says why.
pub const SLOW: Duration = Duration::from_secs(4);

/// The notices of this tab. Code that talks to the server reports here, and the status region shows the current notice.
#[derive(Debug, Clone, Copy)]
pub struct Notices(RwSignal<Board>);

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something went well.
    Good(Cow<'static, str>),
    /// Something is not as it should be.
    Warning(String),
}

/// Everything that may need saying; `current` chooses the most urgent.
#[derive(Debug, Default)]
struct Board {
    online: bool,
    error: Option<(TransientError, Option<Duration>)>,
    /// How many responses are slow at the moment.
    slow: u32,
    message: Option<Cow<'static, str>>,
    memory_only: bool,
    /// Whether the server has not confirmed a sign-out yet.
    sign_out_pending: bool,
    /// Counts the errors, so that an old one's timeout does not hide a new one.
    errors: u32,
}

impl Notices {
    /// No notices yet, in a browser that is online or not.
    pub fn new(online: bool) -> Self {
        Self(RwSignal::new(Board { online, ..Board::default() }))
    }

    /// Takes note of the result of a request.
    pub fn on_result(self, result: &FetchResult) {
        // A response is better evidence than the browser's guess, which knows nothing of a server on this machine.
        if result.is_ok() && self.0.with_untracked(|board| !board.online) {
            self.online(true);
        }
        let error = match result {
            Ok(response) => response.transient_error().map(|error| (error, response.retry_after)),
            Err(error) => Some((error.transient_error(), None)),
        };
        if let Some((error, after)) = error {
            self.report_error(error, after);
        } else if self.0.with_untracked(|board| board.error.is_some()) {
            self.0.update(|board| board.error = None);
        }
    }

    /// Takes note of a transient error, and of how long the server asks to be left alone.
    pub fn report_error(self, error: TransientError, after: Option<Duration>) {
        let number = self.0.try_update(|board| {
            board.error = Some((error, after));
            board.errors = board.errors.wrapping_add(1);
            board.errors
        });
        let hide = move || {
            if self.0.with_untracked(|board| Some(board.errors) == number) {
                self.0.update(|board| board.error = None);
            }
        };
        set_timeout(hide, after.unwrap_or_default().clamp(SHOWN, MAX_REQUESTED_WAIT));
    }

    /// Says that a response has become slow (`true`), or that it is not awaited any more.
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

    /// Says whether the server still has to confirm a sign-out.
    pub fn sign_out_pending(self, pending: bool) {
        if self.0.with_untracked(|board| board.sign_out_pending != pending) {
            self.0.update(|board| board.sign_out_pending = pending);
        }
    }

    /// Shows a short message about something that went well, until the next one or the next page.
    pub fn say(self, message: impl Into<Cow<'static, str>>) {
        self.0.update(|board| board.message = Some(message.into()));
    }

    /// Takes that message away.
    pub fn clear(self) {
        self.0.update(|board| board.message = None);
    }

    /// What to show now, if anything.
    pub fn current(self) -> Option<Notice> {
        self.0.with(Board::current)
    }
}

impl Board {
    fn current(&self) -> Option<Notice> {
        if !self.online {
            let text = if self.sign_out_pending {
                "You are offline. Signing out finishes when you are back online."
            } else {
                "You are offline. This page continues when you are back online."
            };
            return Some(Notice::Warning(text.to_owned()));
        }
        let slow = (self.slow > 0).then_some((TransientError::Unavailable, None));
        if let Some((error, after)) = self.error.or(slow) {
            return Some(Notice::Warning(describe(error, after)));
        }
        if self.sign_out_pending {
            let text = concat!(
                "Signing out is not finished yet. We keep trying: ",
                "leave this page open, or open it again within a day."
            );
            return Some(Notice::Warning(text.to_owned()));
        }
        let lost = "This browser stores nothing for this site: closing or reloading the page signs you out.";
        let lost = self.memory_only.then(|| Notice::Warning(lost.to_owned()));
        self.message.clone().map(Notice::Good).or(lost)
    }
}

fn describe(error: TransientError, after: Option<Duration>) -> String {
    let seconds = after.map_or(0, |after| after.as_secs());
    match error {
        TransientError::Unreachable => "The server cannot be reached. Please check your connection.".to_owned(),
        TransientError::Unavailable => "The server is waking up or busy. This can take up to a minute.".to_owned(),
        TransientError::RateLimited if seconds > 90 => {
            format!("Too many requests. Please try again in {} minutes.", seconds.div_ceil(60))
        }
        TransientError::RateLimited if seconds > 1 => {
            format!("Too many requests. Please try again in {seconds} seconds.")
        }
        TransientError::RateLimited => "Too many requests. Please try again in a moment.".to_owned(),
        TransientError::Unexpected => "The server has a problem. Please try again in a moment.".to_owned(),
    }
}
