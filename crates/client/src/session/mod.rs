//! The one owner of the session in this tab.
//!
//! It executes what [`SessionMachine`](crate::policy::SessionMachine) decides: reads and writes storage, sends refreshes,
//! updates the signals that the pages read. It uses `http` and `policy`, and never pages or components.

mod api;
mod caches;
mod effects;
mod endings;
mod events;
mod lock;
mod owner;
mod page;
mod pending_sign_outs;
mod refresh;
mod revalidation;
mod settings;
mod sign_in;
mod start;
mod state;
mod storage;

pub use api::Api;
pub use owner::SessionOwner;
pub use page::PageSession;
pub use sign_in::{EmailConfirmation, SignUpResult};
pub use state::SignInState;
