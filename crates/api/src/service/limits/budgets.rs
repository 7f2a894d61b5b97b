//! What is limited: the one table of budgets. `docs/reference/limits.md` documents it.

use crate::clock::CLOCK_TOLERANCE_SECONDS;
use chrono::Duration;

/// What a budget's charges are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// An IPv4 address or an IPv6 /64.
    Client,
    /// A name in its canonical form, whether an account has it or not.
    Name,
    /// A name and one network that its account knows.
    NameAndNetwork,
    /// An authenticated account.
    User,
    /// An authenticated session.
    Session,
}

impl Per {
    /// Whether the `RateLimit` headers report it. The state of a name's budget would show what others do with that name.
    pub const fn is_reported(self) -> bool {
        match self {
            Self::Client | Self::User | Self::Session => true,
            Self::Name | Self::NameAndNetwork => false,
        }
    }
}

/// How many charges a budget allows, and for how long each of them counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetRule {
    /// The name in metrics.
    pub name: &'static str,
    /// The name in the `RateLimit` headers, if [`Per::is_reported`].
    pub policy: &'static str,
    pub per: Per,
    pub quota: u32,
    pub window: Duration,
}

/// The table: budget, name in metrics, name in headers, counted by, quota, window.
macro_rules! budgets {
    ($($(#[$doc:meta])* $budget:ident: $name:literal, $policy:literal, $per:ident, $quota:literal in $window:expr;)+) => {
        /// What is limited: one row of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Budget {
            $($(#[$doc])* $budget,)+
        }

        impl Budget {
            pub const ALL: &[Self] = &[$(Self::$budget),+];

            pub const fn rule(self) -> BudgetRule {
                match self {
                    $(Self::$budget => BudgetRule {
                        name: $name,
                        policy: $policy,
                        per: Per::$per,
                        quota: $quota,
                        window: $window,
                    },)+
                }
            }
        }
    };
}

budgets! {
    /// Requests of one client, authenticated or not.
    RequestsClient: "requests_client", "requests-client", Client, 6000 in Duration::minutes(1);
    /// Requests of one client without a valid access token, on routes declared `RequestBudgets::Caller`.
    RequestsUnauthenticated: "requests_stranger", "requests-stranger", Client, 600 in Duration::minutes(1);
    /// Requests with a valid token of one session.
    RequestsSession: "requests_session", "requests-session", Session, 600 in Duration::minutes(1);
    /// Failed sign-ins of one client, with any names.
    FailedSignInClient: "sign_in_client", "sign-in-client", Client, 100 in Duration::minutes(15);
    /// Sign-ins of one client that succeed: each costs as much hashing as one that fails.
    SuccessfulSignInClient: "signed_in_client", "signed-in-client", Client, 1000 in Duration::minutes(15);
    /// Sign-ins to one account that succeed.
    SuccessfulSignInUser: "signed_in_user", "signed-in-user", User, 30 in Duration::minutes(15);
    /// Failed sign-ins with one name, from networks that its account does not know.
    FailedSignInUnknownNetwork: "sign_in_stranger", "sign-in", Name, 10 in Duration::minutes(15);
    /// The same over a day: NIST SP 800-63B allows a hundred failures in a row.
    FailedSignInUnknownNetworkDay: "sign_in_stranger_day", "sign-in-day", Name, 100 in Duration::hours(24);
    /// Failed sign-ins from a network that the account knows: an attacker elsewhere cannot spend these.
    FailedSignInKnownNetwork: "sign_in_known", "sign-in", NameAndNetwork, 10 in Duration::minutes(15);
    /// The same over a day.
    FailedSignInKnownNetworkDay: "sign_in_known_day", "sign-in-day", NameAndNetwork, 100 in Duration::hours(24);
    /// Wrong passwords of a signed-in user who is asked for the password again.
    ConfirmPassword: "confirm_password", "confirm-password", User, 10 in Duration::minutes(15);
    /// Changes of one account's password: each causes a mail.
    PasswordChangeUser: "password_change_user", "password-change-user", User, 10 in Duration::hours(1);
    /// Password changes requested by one client.
    PasswordChangeClient: "password_change_client", "password-change-client", Client, 10 in Duration::hours(1);
    /// Sign-ups, with valid fields or not, whether they create an account or not.
    SignUpClient: "sign_up_client", "sign-up-client", Client, 20 in Duration::hours(1);
    /// Requests of one client that cause mails, to any address. The mails to one address are counted when they are sent.
    MailClient: "mail_client", "mail-client", Client, 20 in Duration::hours(1);
    /// Pictures that a user uploads, accepted or not: each costs time, memory and storage.
    AvatarUser: "avatar_user", "avatar-user", User, 30 in Duration::hours(1);
    /// Exports of one account's data: each reads all of it.
    ExportUser: "export_user", "export-user", User, 5 in Duration::hours(1);
    /// Refreshes of one session; forged tokens take nothing.
    RefreshSession: "refresh_session", "refresh-session", Session, 60 in Duration::minutes(1);
}

/// Up to this quota every charge is stored with its own time.
const MAX_EXACT_QUOTA: u32 = 100;
/// In a larger budget, the charges of one sixtieth of the window are stored together.
const GRAINS: i64 = 60;

impl BudgetRule {
    /// The window, microseconds.
    pub(super) fn window_us(self) -> i64 {
        self.window.num_microseconds().unwrap_or(i64::MAX)
    }

    /// The latest time that a charge made before `now` is stored with. The clocks of two processes may differ by twice what each
    /// may differ from the database's.
    pub(super) fn latest_at(self, now: i64) -> i64 {
        self.stored_at(now.saturating_add(2 * CLOCK_TOLERANCE_SECONDS * 1_000_000))
    }

    /// The time stored for a charge at `now`: its own, or the end of its grain. So a charge never counts for less than
    /// the window.
    pub(super) fn stored_at(self, now: i64) -> i64 {
        if self.quota <= MAX_EXACT_QUOTA {
            return now;
        }
        let grain = self.window_us() / GRAINS;
        now.div_euclid(grain).saturating_add(1).saturating_mul(grain)
    }
}
