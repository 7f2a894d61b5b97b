//! An access token and the credential that renews it, in memory and in storage.

use super::issued_tokens::{IssuedTokens, RefreshCredential};
use super::token_position::{TokenPosition, position_of, session_of};
use auth_types::SessionId;
use serde::{Deserialize, Serialize};

/// The tokens of a session. In storage, the two forms are distinguished by their members.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Pair {
    /// `TOKEN_TRANSPORT=body`: both tokens.
    Body {
        #[serde(flatten)]
        access: Access,
        refresh: String,
    },
    /// `TOKEN_TRANSPORT=cookie`: nothing that is stored is a secret. The browser keeps the refresh token where no script can
    /// read it, and the access token stays in memory: each tab has its own, or none yet.
    Cookie {
        #[serde(skip)]
        access: Option<Access>,
        csrf_token: String,
        session: SessionId,
        /// How many responses with tokens this browser has received in this session.
        // The name of earlier releases, whose stored tokens stay valid.
        #[serde(rename = "answers")]
        responses: i64,
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
    /// The tokens of a response. `None` if they are not tokens of this service.
    pub(super) fn of(response: &IssuedTokens) -> Option<Self> {
        let access = Access {
            token: response.access.clone(),
            expires_at: response.expiry(response.access_expires_in),
            lifetime: response.access_expires_in.saturating_mul(1000).max(0),
        };
        Some(match &response.refresh_credential {
            RefreshCredential::Token(refresh) => Self::Body { access, refresh: refresh.clone() },
            RefreshCredential::Cookie { csrf_token } => {
                let session = session_of(&access.token)?;
                Self::Cookie { access: Some(access), csrf_token: csrf_token.clone(), session, responses: 1 }
            }
        })
    }

    /// The session and generation; `None` if the tokens are not of this service.
    pub(super) fn position(&self) -> Option<TokenPosition> {
        match self {
            Self::Body { refresh, .. } => position_of(refresh),
            Self::Cookie { session, responses, .. } => Some(TokenPosition { session: *session, sequence: *responses }),
        }
    }

    /// Whether every value that is sent in a header is valid there.
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

    pub(super) fn refresh_credential(&self) -> RefreshCredential {
        match self {
            Self::Body { refresh, .. } => RefreshCredential::Token(refresh.clone()),
            Self::Cookie { csrf_token, .. } => RefreshCredential::Cookie { csrf_token: csrf_token.clone() },
        }
    }
}
