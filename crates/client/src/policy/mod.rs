//! What decides: when to refresh, what an answer means, which token wins, where a sign-in may lead.
//!
//! Pure code: no browser, no clock, no randomness of its own. The effects around it (`session`, `tokens`, `http`) pass in
//! what they read and carry out what they are told, so that a test can be a tab: give a [`Keeper`] a storage shared with
//! other keepers and a clock to move.
//!
//! A request goes like this: [`Keeper::look`] at storage, [`Keeper::plan`], and, when that says [`Plan::Refresh`], send the
//! parent with its key, read the answer with [`refresh_outcome`], [`Keeper::settle`] and do what [`Settled`] says.

mod answer;
mod backoff;
mod event_words;
mod failure;
mod initials;
mod keeper;
mod link_token;
mod next_path;
mod pair;
mod password_rules;
mod peek;
mod time;
mod token_answer;
mod tokens;

#[cfg(test)]
mod cookie_tests;
#[cfg(test)]
mod fixtures;

pub use answer::{Answer, Outcome, Silence, Trouble, asks_for_refresh, refresh_outcome, retry_after};
pub use backoff::{LONGEST_ASKED, LONGEST_WAIT, wait};
pub use event_words::event_words;
pub use failure::{Failure, Refusal, read_empty, read_json};
pub use initials::initials;
pub use keeper::{Change, Keeper, Plan, Seen, Settled, Stored};
pub use link_token::link_token;
pub use next_path::{START, accept_next, sign_in_path};
pub use password_rules::PASSWORD_RULES;
pub use time::{Now, ServerClock};
pub use token_answer::{Renewal, TokenAnswer};
pub use tokens::Tokens;
