//! The refusals of the account use cases.

use super::Problem;
use crate::service::accounts::avatar::AvatarRefusal;
use crate::service::accounts::email_verification::EmailVerificationRefusal;
use crate::service::accounts::export::{ExportRefusal, NoSlot};
use crate::service::accounts::profile::UsernameTaken;
use crate::service::accounts::register::RegisterRefusal;
use crate::service::leases::HeldElsewhere;
use crate::service::mail::links::LinkNotValid;
use crate::service::passwords::change::PasswordChangeRefusal;
use crate::service::passwords::reauthentication::{ReauthenticationRefusal, WRONG_PASSWORD};
use crate::service::steps::StepTokenNotValid;
use crate::store::users::TakenName;
use auth_types::FieldErrors;

/// Seconds after which a running export may have ended.
const EXPORT_SECONDS: u32 = 10;

fn field(name: &str, message: impl Into<String>) -> Problem {
    Problem::fields_invalid(FieldErrors::from([(name.to_owned(), vec![message.into()])]))
}

impl From<RegisterRefusal> for Problem {
    fn from(refusal: RegisterRefusal) -> Self {
        match refusal {
            RegisterRefusal::Closed => Self::registration_closed(),
            RegisterRefusal::Taken(name) => Self::taken(name),
        }
    }
}

impl From<UsernameTaken> for Problem {
    fn from(_: UsernameTaken) -> Self {
        Self::taken(TakenName::Username)
    }
}

impl From<AvatarRefusal> for Problem {
    fn from(refusal: AvatarRefusal) -> Self {
        match refusal {
            AvatarRefusal::Picture(error) => field("avatar", error.to_string()),
            AvatarRefusal::TooLate => Self::unavailable(),
        }
    }
}

impl From<ReauthenticationRefusal> for Problem {
    fn from(refusal: ReauthenticationRefusal) -> Self {
        match refusal {
            ReauthenticationRefusal::TokenNotValid(StepTokenNotValid(reason)) => Self::token_not_valid(reason),
            ReauthenticationRefusal::WrongPassword => field("password", WRONG_PASSWORD),
            ReauthenticationRefusal::Contended => Self::unavailable(),
        }
    }
}

impl From<PasswordChangeRefusal> for Problem {
    fn from(refusal: PasswordChangeRefusal) -> Self {
        match refusal {
            PasswordChangeRefusal::TooWeak(message) => field("new_password", message),
            PasswordChangeRefusal::NotReauthenticated(refusal) => refusal.into(),
        }
    }
}

impl From<LinkNotValid> for Problem {
    fn from(_: LinkNotValid) -> Self {
        Self::link_not_valid()
    }
}

impl From<EmailVerificationRefusal> for Problem {
    fn from(refusal: EmailVerificationRefusal) -> Self {
        match refusal {
            EmailVerificationRefusal::LinkNotValid(refusal) => refusal.into(),
            EmailVerificationRefusal::Taken => Self::taken(TakenName::Email),
        }
    }
}

impl From<ExportRefusal> for Problem {
    fn from(refusal: ExportRefusal) -> Self {
        match refusal {
            ExportRefusal::NoSlot(NoSlot::Account | NoSlot::Client) => Self::throttled(EXPORT_SECONDS),
            ExportRefusal::HeldElsewhere(HeldElsewhere { seconds }) => Self::throttled(seconds),
            ExportRefusal::NoSlot(NoSlot::Process) => Self::unavailable().caused_by_load(),
        }
    }
}
