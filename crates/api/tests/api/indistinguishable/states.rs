//! The states of the address that an attacker asks about.

use super::{ATTACKERS_DOMAIN, SUBJECT, SUBJECT_NAME};
use crate::support::{Database, PASSWORD, TestDb, create_user};

/// The number of the attacker's accounts: one for each protected request, since some delete the account.
const ACCOUNTS: usize = 150;

/// The state of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has no account.
    Unknown,
    /// Another client registered with it.
    Pending,
    /// The attacker registered with it, while a lower cost was configured.
    PendingOfAttacker,
    /// Another client registered with it, more than a day ago.
    Expired,
    /// It had an account, which is deleted.
    Deleted,
    Confirmed,
    /// The account is used, but was never confirmed.
    Unconfirmed,
    /// The account was neither used nor confirmed; it comes from a release without pending registrations.
    NeverUsed,
    Inactive,
    /// The same, but the attacker knows the password, which is stored at a lower cost than is configured.
    InactiveKnown,
    /// A confirmed account whose password is stored at a lower cost than is configured.
    Cheap,
    /// A confirmed account whose password another program has stored.
    Hash(&'static str),
}

/// The configured cost.
pub const COST: u32 = 5;
/// A hash of Django's older algorithm, and what Django stores when there is no password.
pub const PBKDF2: &str = "pbkdf2_sha256$24000$seasalt$GwkSVbk/ZS7UxlrtRxpU1fgAMjWPldtSxVDgVodtavc=";
pub const UNUSABLE: &str = "!FfRt0zTsdPYJeCQpsFgGF0vzDqQVVPC7pTHRfBvf";

impl State {
    pub fn make(self, db: &TestDb) {
        match self {
            Self::Unknown => return,
            Self::Pending => return insert_pending(db, &hash_of_another(COST), "2100"),
            Self::PendingOfAttacker => return insert_pending(db, &hash_of(PASSWORD, COST - 1), "2100"),
            Self::Expired => return insert_pending(db, &hash_of_another(COST), "2026"),
            _ => create_user(db, SUBJECT),
        }
        let change = match self {
            Self::Unconfirmed => "email_verified_at = NULL, last_login_at = created_at".to_owned(),
            Self::NeverUsed => "email_verified_at = NULL".to_owned(),
            Self::Inactive | Self::InactiveKnown => "is_active = false".to_owned(),
            Self::Deleted => {
                "email = '', email_canonical = 'deleted', is_active = false, deleted_at = created_at".to_owned()
            }
            Self::Hash(hash) => format!("password_hash = '{hash}'"),
            _ => "display_name = 'Somebody'".to_owned(),
        };
        let of_subject = format!("WHERE email = '{SUBJECT}'");
        db.execute(&format!("UPDATE users SET {change} {of_subject}"));
        let names = format!("username = '{SUBJECT_NAME}', username_canonical = '{SUBJECT_NAME}'");
        db.execute(&format!("UPDATE users SET {names}, password_hash = {} {of_subject}", self.password_hash()));
    }

    /// The hash of a password that the attacker does not know, except for `InactiveKnown`.
    fn password_hash(self) -> String {
        match self {
            Self::Hash(hash) => format!("'{hash}'"),
            Self::Cheap => hash_of_another(COST - 1),
            Self::InactiveKnown => hash_of(PASSWORD, COST - 1),
            _ => hash_of_another(COST),
        }
    }
}

fn hash_of_another(cost: u32) -> String {
    hash_of("copper window thistle 77", cost)
}

fn hash_of(password: &str, cost: u32) -> String {
    format!("'{}'", api::service::passwords::hashing::hash(password, cost).unwrap())
}

fn insert_pending(db: &TestDb, hash: &str, expires_in: &str) {
    let bytes = if db.database() == Database::Sqlite { "x'00'" } else { "'\\x00'" };
    db.execute(&format!(
        "INSERT INTO pending_registrations (email, email_canonical, username, username_canonical, password_hash,
         registration_hash, created_at, expires_at) VALUES ('{SUBJECT}', '{SUBJECT}', '{SUBJECT_NAME}', '{SUBJECT_NAME}',
         {hash}, {bytes}, '2026-01-01 00:00:00.000000', '{expires_in}-01-01 00:00:00.000001')"
    ));
}

/// The attacker's accounts, all with the same password.
pub fn insert_attackers(db: &TestDb) {
    let hash = api::service::passwords::hashing::hash(PASSWORD, COST).unwrap();
    let at = "'2026-01-01 00:00:00.000000'";
    let rows: Vec<_> = (0..ACCOUNTS)
        .map(|n| format!("('s{n}{ATTACKERS_DOMAIN}', 's{n}{ATTACKERS_DOMAIN}', '{hash}', {at}, {at})"))
        .collect();
    let columns = "email, email_canonical, password_hash, created_at, email_verified_at";
    db.execute(&format!("INSERT INTO users ({columns}) VALUES {}", rows.join(", ")));
}
