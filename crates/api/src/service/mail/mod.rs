//! Mail: inserted into the outbox in the transaction that causes it, and sent by the first process that leases it.
//!
//! A request never waits for a mail server: it inserts a row. The worker leases due mails, creates the link's token if there is
//! one, and sends them; a failed attempt is repeated later, until the mail expires. If a process dies between
//! sending a mail and recording it, another one sends it again: delivery is at least once.
//!
//! Requests are limited by client (`outbox::with_mail_charge`), mails by address when they are sent (`address_quota`), and the mails
//! of different clients take turns.
//!
//! Features declare mails of their own (`feature_mail`), which a function of the feature writes when they are sent.

mod address_quota;
mod backlog;
mod delivery;
mod draft;
mod feature_mail;
mod in_flight;
pub mod links;
mod metrics;
mod no_recipient;
mod outbox;
mod prepare;
mod prepare_feature;
mod refusals;
mod registry;
mod send_error;
mod send_slots;
mod server_health;
mod smtp;
mod target;
mod text;
mod transport;
mod worker;

pub(super) use address_quota::{WINDOW, address_hash};
pub use backlog::{MEASURE_SECONDS, measure};
pub(crate) use feature_mail::DeclaredMail;
pub use feature_mail::{FeatureMail, MailAbout, MailContext};
pub use metrics::MailMetrics;
pub use outbox::queue_mail;
pub(super) use outbox::{charge_always, recipient, to_address, to_user, with_mail_charge};
pub use registry::MailRegistry;
pub(crate) use registry::SEPARATOR;
pub use smtp::ProbeError;
pub use transport::{Mailer, MailerError};
pub use worker::{POLL_SECONDS, deliver_due, stop};
