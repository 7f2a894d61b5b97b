//! Mail: written into the outbox together with what it is about, and sent by whichever process comes first.
//!
//! A request never waits for a mail server: it inserts a row. The worker takes what is due, makes the link's token if
//! there is one, and sends; what fails comes again later, until the mail is not worth sending any more. A process that
//! dies between sending and noting it makes another one send the mail again: at least once, never not at all.
//!
//! Requests are limited by client (`outbox::take_request`), mails by address when they are sent (`amounts`), and each client's
//! mails take turns with everybody else's.

mod address_quota;
mod attempt;
mod backlog;
mod in_flight;
pub mod links;
mod metrics;
mod no_recipient;
mod outbox;
mod prepare;
mod refusals;
mod registration;
mod send_error;
mod send_slots;
mod server_health;
mod smtp;
mod text;
mod transport;
mod worker;

pub(super) use address_quota::{AddressQuota, WINDOW};
pub use backlog::{MEASURE_SECONDS, measure};
pub use metrics::MailMetrics;
pub(super) use outbox::{charge, recipient, take_request, to_address, to_user};
pub use smtp::TestError;
pub use transport::{Mailer, MailerError};
pub use worker::{POLL_SECONDS, deliver_due, stop};
