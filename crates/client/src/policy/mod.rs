//! The client's decisions: when to refresh, what a response means, which token wins, where a sign-in may lead.
//!
//! Pure code: no browser, no clock, no randomness of its own. The modules around it (`session`, `tokens`, `http`) pass in
//! what they read and execute the effects that it returns. So a test can simulate tabs: several [`SessionMachine`]s that
//! share one storage, and a clock to move.
//!
//! A page's request is a [`BoundRequest`]: call [`SessionMachine::sync_from_storage`], then do what its next [`RequestStep`]
//! says. A refresh takes these steps: sync from storage, [`SessionMachine::plan`], and, when that returns
//! [`TokenPlan::Refresh`], send the parent with its key, read the response with [`refresh_outcome`], and pass the outcome to
//! [`SessionMachine::apply_refresh`].
//!
//! Everything else that the machine decides is an [`Effect`], and is executed in one place (`session/effects.rs`).
//!
//! Two people may share a browser. Each request therefore belongs to an [`Epoch`], and each of these functions reads storage
//! and compares epochs before it decides: nothing is sent, stored or deleted for a session that has ended.

mod backoff;
mod bound_request;
mod failure;
mod initials;
mod issued_tokens;
mod link_token;
mod newest;
mod next_path;
mod pages;
mod pair;
mod password_rules;
mod pending_sign_outs;
mod percent;
mod repeat;
mod response;
mod revalidation;
mod session_machine;
mod sign_out_reason;
mod time;
mod token_position;
mod tokens;
mod unconfirmed_action;

#[cfg(test)]
mod bound_request_tests;
#[cfg(test)]
mod cookie_tests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod two_people_tests;

pub use backoff::{MAX_REQUESTED_WAIT, MAX_WAIT, backoff_delay};
pub use bound_request::{AccessToken, BoundRequest, RequestStep, ResponseAction};
pub use failure::{CHECK_FIELDS, RequestFailure, ServerRefusal, read_empty, read_json, read_text};
pub use initials::initials;
pub use issued_tokens::{IssuedTokens, RefreshCredential};
pub use link_token::{holds_link_token, is_cut, link_token, restored_address};
pub use newest::{newest_devices, newest_events};
pub use next_path::{SIGN_IN, START, accept_next, sign_in_path};
pub use pages::{Audience, PageInfo, Pages};
pub use password_rules::PASSWORD_RULES;
pub use pending_sign_outs::{PendingSignOut, PendingSignOuts};
pub use repeat::{LINK_SEED, repeat_after, step_key};
pub use response::{
    ApiResponse, FetchResult, RefreshOutcome, TransientError, TransportError, asks_for_refresh, refresh_outcome,
    retry_after,
};
pub use revalidation::{REVALIDATION_PAUSE, Revalidation};
pub use session_machine::{Effect, Epoch, SessionMachine, StorageContent, StorageSnapshot, TokenPlan};
pub use sign_out_reason::SignOutReason;
pub use time::{Now, ServerClock};
pub use tokens::SessionTokens;
pub use unconfirmed_action::{EndingAction, UnconfirmedAction, is_conclusive};
