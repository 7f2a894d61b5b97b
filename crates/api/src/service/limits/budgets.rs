//! What is limited: the one table of budgets. `docs/reference/limits.md` shows it to people.

use chrono::Duration;

/// What a budget's tries are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// An IPv4 address or an IPv6 /64.
    Client,
    /// A name in its canonical form, whether an account has it or not.
    Name,
    /// A name and one client network from which its account has signed in before.
    NameAndNetwork,
    /// An account, proven.
    User,
    /// A session, proven.
    Session,
}

impl Per {
    /// Whether the `RateLimit` headers report it. Who sees how a name's budget stands learns what others do with that name.
    pub const fn is_reported(self) -> bool {
        match self {
            Self::Client | Self::User | Self::Session => true,
            Self::Name | Self::NameAndNetwork => false,
        }
    }
}

/// How many tries a budget has, and for how long each of them counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetRule {
    /// In metrics.
    pub name: &'static str,
    /// In the `RateLimit` headers, where [`Per::is_reported`].
    pub policy: &'static str,
    pub per: Per,
    pub amount: u32,
    pub window: Duration,
}

/// The table: budget, name in metrics, name in headers, counted by, amount, window.
macro_rules! budgets {
    ($($(#[$doc:meta])* $budget:ident: $name:literal, $policy:literal, $per:ident, $amount:literal in $window:expr;)+) => {
        /// A kind of tries that is limited.
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
                        amount: $amount,
                        window: $window,
                    },)+
                }
            }
        }
    };
}

budgets! {
    /// Requests of one client, whoever makes them.
    RequestsClient: "requests_client", "requests-client", Client, 6000 in Duration::minutes(1);
    /// Requests of one client without a valid access token, where they touch the database.
    RequestsStranger: "requests_stranger", "requests-stranger", Client, 600 in Duration::minutes(1);
    /// Requests with a valid token of one session.
    RequestsSession: "requests_session", "requests-session", Session, 600 in Duration::minutes(1);
    /// Failed sign-ins of one client, whatever the names.
    SignInClient: "sign_in_client", "sign-in-client", Client, 100 in Duration::minutes(15);
    /// Sign-ins of one client that succeed: each costs as much hashing as one that fails.
    SignedInClient: "signed_in_client", "signed-in-client", Client, 1000 in Duration::minutes(15);
    /// Sign-ins to one account that succeed.
    SignedInUser: "signed_in_user", "signed-in-user", User, 30 in Duration::minutes(15);
    /// Failed sign-ins of strangers with one name.
    SignInStranger: "sign_in_stranger", "sign-in", Name, 10 in Duration::minutes(15);
    /// The same over a day: NIST SP 800-63B allows a hundred failures in a row.
    SignInStrangerDay: "sign_in_stranger_day", "sign-in-day", Name, 100 in Duration::hours(24);
    /// Failed sign-ins from a network that the account knows: no stranger can spend these.
    SignInKnown: "sign_in_known", "sign-in", NameAndNetwork, 10 in Duration::minutes(15);
    /// The same over a day.
    SignInKnownDay: "sign_in_known_day", "sign-in-day", NameAndNetwork, 100 in Duration::hours(24);
    /// Wrong passwords of someone who is signed in and is asked for it again.
    ConfirmPassword: "confirm_password", "confirm-password", User, 10 in Duration::minutes(15);
    /// Changes of one account's password: each is mailed.
    PasswordChangeUser: "password_change_user", "password-change-user", User, 10 in Duration::hours(1);
    /// Changes of passwords that one client asks for.
    PasswordChangeClient: "password_change_client", "password-change-client", Client, 10 in Duration::hours(1);
    /// Sign-ups, whether their fields are in order or not, and whether they make an account or not.
    SignUpClient: "sign_up_client", "sign-up-client", Client, 20 in Duration::hours(1);
    /// Requests from one place that cause mails, whoever gets them. How many an address gets is counted when they are sent.
    MailClient: "mail_client", "mail-client", Client, 20 in Duration::hours(1);
    /// Pictures that someone sends, whatever becomes of them: each costs time, memory and a place in the storage.
    AvatarUser: "avatar_user", "avatar-user", User, 30 in Duration::hours(1);
    /// Exports of one account's data: each reads all of it.
    ExportUser: "export_user", "export-user", User, 5 in Duration::hours(1);
    /// Refreshes of one session; forged tokens spend none.
    RefreshSession: "refresh_session", "refresh-session", Session, 60 in Duration::minutes(1);
}

/// Up to this amount every try is kept with its own time.
const EXACT_AMOUNT: u32 = 100;
/// Of a larger budget, tries of one sixtieth of the window are kept together.
const GRAINS: i64 = 60;

impl BudgetRule {
    /// The window, microseconds.
    pub(super) fn window_us(self) -> i64 {
        self.window.num_microseconds().unwrap_or(i64::MAX)
    }

    /// The time that a try at `now` is kept with: its own, or the end of its grain. So a try never counts for less than
    /// the window.
    pub(super) fn kept_at(self, now: i64) -> i64 {
        if self.amount <= EXACT_AMOUNT {
            return now;
        }
        let grain = self.window_us() / GRAINS;
        now.div_euclid(grain).saturating_add(1).saturating_mul(grain)
    }
}
