//! An access token and what renews it, in memory and written down.

use super::issued_tokens::{IssuedTokens, Renewal};
use super::token_position::{TokenPosition, place_of, session_of};
use auth_types::SessionId;
use serde::{Deserialize, Serialize};

/// What one needs to go on. Written down, each form has the members that the other has not.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Pair {
    /// `TOKEN_TRANSPORT=body`: both tokens.
    Body {
        #[serde(flatten)]
        access: Access,
        refresh: String,
    },
    /// `TOKEN_TRANSPORT=cookie`: nothing that is written down is a secret. The browser keeps the refresh token where no
    /// script can read it, and the access token stays in memory: each tab has one of its own, or none yet.
    Cookie {
        #[serde(skip)]
        access: Option<Access>,
        csrf_token: String,
        session: SessionId,
        /// How many answers with tokens this browser has had in this session.
        answers: i64,
    },
}

/// An access token and its times.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Access {
    #[serde(rename = "access")]
    pub(super) token: String,
    /// Unix milliseconds on the server's clock.
    #[serde(rename = "access_expires_at")]
    pub(super) expires_at: i64,
    /// How long it lives from its issue, milliseconds.
    #[serde(rename = "access_lifetime")]
    pub(super) lifetime: i64,
}

impl Pair {
    /// What `answer` brings. `None` if its tokens are not of this service.
    pub(super) fn of(answer: &IssuedTokens) -> Option<Self> {
        let access = Access {
            token: answer.access.clone(),
            expires_at: answer.expiry(answer.access_expires_in),
            lifetime: answer.access_expires_in.saturating_mul(1000).max(0),
        };
        Some(match &answer.renewal {
            Renewal::Token(refresh) => Self::Body { access, refresh: refresh.clone() },
            Renewal::Cookie { csrf_token } => {
                let session = session_of(&access.token)?;
                Self::Cookie { access: Some(access), csrf_token: csrf_token.clone(), session, answers: 1 }
            }
        })
    }

    /// Where it stands; `None` if it is not of this service.
    pub(super) fn place(&self) -> Option<TokenPosition> {
        match self {
            Self::Body { refresh, .. } => place_of(refresh),
            Self::Cookie { session, answers, .. } => Some(TokenPosition { session: *session, generation: *answers }),
        }
    }

    /// Whether everything that goes into a header fits there.
    pub(super) fn can_be_sent(&self) -> bool {
        let csrf_token = match self {
            Self::Body { .. } => None,
            Self::Cookie { csrf_token, .. } => Some(csrf_token),
        };
        let access = self.access().map(|access| &access.token);
        access
            .into_iter()
            .chain(csrf_token)
            .all(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
    }

    pub(super) const fn access(&self) -> Option<&Access> {
        match self {
            Self::Body { access, .. } => Some(access),
            Self::Cookie { access, .. } => access.as_ref(),
        }
    }

    pub(super) fn renewal(&self) -> Renewal {
        match self {
            Self::Body { refresh, .. } => Renewal::Token(refresh.clone()),
            Self::Cookie { csrf_token, .. } => Renewal::Cookie { csrf_token: csrf_token.clone() },
        }
    }
}
