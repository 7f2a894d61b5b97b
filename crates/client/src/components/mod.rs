//! Parts that pages are made of.
//!
//! Computed text is written to its element, by `prop:textContent`, and never to a text node: a browser that translates the page
//! replaces text nodes with elements, and later changes to the text nodes are not visible.
#![expect(unreachable_pub, reason = "the component macro hides re-exports from this lint")]

mod alert;
mod avatar;
mod brand;
mod button;
mod confirm_email;
mod date_time;
mod draft;
mod field;
mod form;
mod guard;
mod incomplete_link;
mod keep_fresh;
mod loader;
mod not_found;
mod page_title;
mod resend_link;
mod server_settings;
mod shell;
mod status;
mod user_action;
mod visitor_frame;
mod with_query;

pub use alert::Alert;
pub use avatar::Avatar;
pub use brand::Brand;
pub use button::Button;
pub use confirm_email::{ConfirmEmail, ConfirmationTexts};
pub use date_time::{Moment, instant_of, local_text};
pub use draft::TextDraft;
pub use field::{FieldError, FieldKind, FileField, NewPasswordField, TextField, described_by, hint_id, is_invalid};
pub use form::{Form, FormErrors, FormState, TextControl};
pub use guard::{AdministratorsOnly, Protected, VisitorsOnly};
pub use incomplete_link::{CutLink, IncompleteLink};
pub use loader::{Loader, Waiting, load, load_by};
pub use not_found::NotFound;
pub use page_title::{FirstPage, PageTitle, focus_by_id, focus_heading, keep_focus};
pub use resend_link::ResendLink;
pub use server_settings::{KnownServerSettings, use_server_settings};
pub use shell::Shell;
pub use status::StatusRegion;
pub use user_action::UserAction;
pub use visitor_frame::VisitorFrame;
pub use with_query::with_query;
