//! What decides: when to refresh, what an answer means, which token wins, where a sign-in may lead.
//!
//! Pure code: no browser, no clock, no randomness of its own. The effects around it (`session`, `tokens`, `http`) pass in
//! what they read and carry out what they are told, so that a test can be a tab: give a [`Keeper`] a storage shared with
//! other keepers and a clock to move.
//!
//! A page's request is a [`BoundRequest`]: [`Keeper::look`] at storage and do what its next [`Step`] says. A refresh goes
//! like this: look, [`Keeper::plan`], and, when that says [`Plan::Refresh`], send the parent with its key, read the answer
//! with [`refresh_outcome`], and [`Keeper::settle`].
//!
//! Whatever the keeper decides beyond that is an [`Effect`], and is carried out in one place (`session/effects.rs`).
//!
//! Two people may share a browser. Whatever is asked for therefore belongs to an [`Epoch`], and each of these looks at
//! storage and compares before it decides: nothing is sent, stored or deleted for a session that has gone.

mod answer;
mod backoff;
mod bound_request;
mod event_words;
mod failure;
mod farewell;
mod initials;
mod keeper;
mod link_token;
mod looks;
mod newest;
mod next_path;
mod pages;
mod pair;
mod password_rules;
mod peek;
mod percent;
mod repeat;
mod sign_out;
mod time;
mod token_answer;
mod tokens;
mod unsettled;

#[cfg(test)]
mod bound_request_tests;
#[cfg(test)]
mod cookie_tests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod two_people_tests;

pub use answer::{Answer, Exchange, Outcome, Silence, Trouble, asks_for_refresh, refresh_outcome, retry_after};
pub use backoff::{LONGEST_ASKED, LONGEST_WAIT, wait};
pub use bound_request::{AccessToken, Answered, BoundRequest, Step};
pub use event_words::event_words;
pub use failure::{CHECK_FIELDS, Failure, Refusal, read_empty, read_json};
pub use farewell::Farewell;
pub use initials::initials;
pub use keeper::{Effect, Epoch, Keeper, Plan, Seen, Stored};
pub use link_token::{holds_link_token, is_cut, link_token, restored_address};
pub use looks::{LOOK_PAUSE, Looks};
pub use newest::{newest_devices, newest_events};
pub use next_path::{SIGN_IN, START, accept_next, sign_in_path};
pub use pages::{Audience, Page, Pages};
pub use password_rules::PASSWORD_RULES;
pub use repeat::{LINK_SEED, repeat_after, step_key};
pub use sign_out::{LateSignOut, LateSignOuts};
pub use time::{Now, ServerClock};
pub use token_answer::{Renewal, TokenAnswer};
pub use tokens::Tokens;
pub use unsettled::{Act, Unsettled, is_settled_by};
