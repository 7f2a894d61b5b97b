//! Sending through a mail server, by SMTP.
//!
//! The conversation is conducted step by step, because the step decides what a refusal is about: only a refusal of `RCPT` can be
//! about the recipient (RFC 5321, section 3.3), and even that not always.

mod connections;
mod conversation;
mod error;
mod failure;
mod probe;
mod replies;
mod reply_text;
mod server;
mod step;

pub(super) use connections::Connections;
pub(super) use conversation::Attempt;
pub use probe::ProbeError;
pub(super) use probe::probe;
pub(super) use server::Server;
pub(super) use step::MailStep;
