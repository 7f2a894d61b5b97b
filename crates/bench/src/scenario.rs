//! What the virtual users of each scenario do.

use clap::ValueEnum;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Checks an access token, without the database.
    Verify,
    /// Reads one's own account.
    Me,
    /// Exchanges refresh tokens: each virtual user sends the token that it got last.
    Refresh,
    /// Signs in.
    Login,
    /// Creates accounts.
    Register,
    /// Of 20 requests 16 read the account, 3 refresh and 1 signs in.
    Mixed,
    /// `me`, while as many others sign in without a pause. Only `me` is measured.
    Flood,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Verify,
    Me,
    Refresh,
    Login,
    Register,
}

impl Operation {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Me => "me",
            Self::Refresh => "refresh",
            Self::Login => "login",
            Self::Register => "register",
        }
    }
}

/// Of this many requests of `mixed` one signs in and some refresh, at these places.
const BLOCK: usize = 20;
const LOGIN_AT: usize = 19;
const REFRESH_AT: [usize; 3] = [4, 10, 16];

impl Scenario {
    /// The request number `number` of a virtual user. Users begin `mixed` at different places, so that they don't sign in all at once.
    pub(crate) fn operation(self, user: usize, number: usize) -> Operation {
        match self {
            Self::Verify => Operation::Verify,
            Self::Me | Self::Flood => Operation::Me,
            Self::Refresh => Operation::Refresh,
            Self::Login => Operation::Login,
            Self::Register => Operation::Register,
            Self::Mixed => match (7 * user + number) % BLOCK {
                LOGIN_AT => Operation::Login,
                place if REFRESH_AT.contains(&place) => Operation::Refresh,
                _ => Operation::Me,
            },
        }
    }

    /// Whether its virtual users need tokens before they begin.
    pub(crate) const fn needs_tokens(self) -> bool {
        !matches!(self, Self::Login | Self::Register)
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Operation, Scenario};

    #[test]
    fn mixed_has_16_3_and_1_of_20_for_every_user() {
        for user in 0..BLOCK {
            let of = |wanted| (0..BLOCK).filter(|&number| Scenario::Mixed.operation(user, number) == wanted).count();
            assert_eq!((of(Operation::Me), of(Operation::Refresh), of(Operation::Login)), (16, 3, 1));
        }
    }
}
