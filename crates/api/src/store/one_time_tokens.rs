//! Table `one_time_tokens`: the mailed links, by the hash of the token in each.

use super::any::{AnyConnection, MultiBackend};
use super::schema::one_time_tokens;
use super::types::{At, Text};
use crate::clock::CheckedTime;
use crate::mails::Purpose;
use auth_types::UserId;
use auth_types::export::ExportedLink;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

impl Queryable<Text, MultiBackend> for Purpose {
    type Row = String;
    fn build(row: String) -> diesel::deserialize::Result<Self> {
        Self::of(&row).ok_or_else(|| format!("one_time_tokens.purpose holds an unknown purpose: {row}").into())
    }
}

/// SHA-256 of a token.
pub type TokenHash = Vec<u8>;

/// A token to insert.
#[derive(Clone)]
pub struct NewToken {
    pub hash: TokenHash,
    pub purpose: Purpose,
    pub user: UserId,
    /// The address that the link is sent to. Using the link proves that its user reads mail there.
    pub email: String,
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("purpose", &self.purpose).field("user", &self.user).finish_non_exhaustive()
    }
}

/// A token that can still be used.
#[derive(Debug, Clone, Queryable)]
pub struct LiveToken {
    pub purpose: Purpose,
    pub user: UserId,
    /// The address that the link was sent to.
    pub email: String,
}

/// A token that was issued, whether it can still be used or not.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct IssuedToken {
    pub hash: TokenHash,
    /// Whether it was used or withdrawn.
    pub is_spent: bool,
}

/// The older tokens that a new one replaces once its mail has been sent.
#[derive(Debug, Clone)]
pub struct Replacement {
    pub user: UserId,
    /// The new one.
    pub by: TokenHash,
    pub older: Vec<TokenHash>,
}

/// The token with one of these hashes; of several, preferably one that is not spent.
pub fn find_issued(connection: &mut AnyConnection, hashes: &[&[u8]]) -> QueryResult<Option<IssuedToken>> {
    one_time_tokens::table
        .filter(one_time_tokens::hash.eq_any(hashes))
        .order(one_time_tokens::used_at.is_not_null())
        .select((one_time_tokens::hash, one_time_tokens::used_at.is_not_null()))
        .first(connection)
        .optional()
}

/// Inserts a token, or extends the lifetime of an existing one.
pub fn insert_or_extend(connection: &mut AnyConnection, token: &NewToken) -> QueryResult<()> {
    let expires_at = one_time_tokens::expires_at.eq(At(token.expires_at));
    match diesel::update(one_time_tokens::table.find(&token.hash)).set(expires_at).execute(connection)? {
        0 => insert(connection, token),
        _ => Ok(()),
    }
}

fn insert(connection: &mut AnyConnection, token: &NewToken) -> QueryResult<()> {
    diesel::insert_into(one_time_tokens::table)
        .values((
            one_time_tokens::hash.eq(&token.hash),
            one_time_tokens::purpose.eq(token.purpose.as_str()),
            one_time_tokens::user_id.eq(token.user.0),
            one_time_tokens::email.eq(&token.email),
            one_time_tokens::expires_at.eq(At(token.expires_at)),
        ))
        .execute(connection)
        .map(|_| ())
}

/// The token with this hash, if it is for one of `purposes` and can still be used.
pub fn find_live(
    connection: &mut AnyConnection,
    hash: &[u8],
    purposes: &[Purpose],
    now: CheckedTime,
) -> QueryResult<Option<LiveToken>> {
    one_time_tokens::table
        .find(hash)
        .filter(one_time_tokens::purpose.eq_any(stored(purposes)))
        .filter(one_time_tokens::used_at.is_null())
        .filter(one_time_tokens::expires_at.gt(At(now.get())))
        .select((one_time_tokens::purpose, one_time_tokens::user_id, one_time_tokens::email))
        .first(connection)
        .optional()
}

/// Spends a token. Returns `false` if it was not live: of two concurrent calls with one token, one gets `false`.
pub fn spend(connection: &mut AnyConnection, hash: &[u8], now: CheckedTime) -> QueryResult<bool> {
    let live = one_time_tokens::table
        .find(hash)
        .filter(one_time_tokens::used_at.is_null())
        .filter(one_time_tokens::expires_at.gt(At(now.get())));
    diesel::update(live).set(one_time_tokens::used_at.eq(Some(At(now.get())))).execute(connection).map(|rows| rows == 1)
}

/// Spends every token of a user that is for one of `purposes`.
pub fn spend_all(
    connection: &mut AnyConnection,
    user: UserId,
    purposes: &[Purpose],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let live = one_time_tokens::table
        .filter(one_time_tokens::user_id.eq(user.0))
        .filter(one_time_tokens::purpose.eq_any(stored(purposes)))
        .filter(one_time_tokens::used_at.is_null());
    diesel::update(live).set(one_time_tokens::used_at.eq(Some(At(now)))).execute(connection).map(|_| ())
}

/// The other unspent tokens of the same user and purpose, as replaced by `token`. In the transaction that issues it, with the user's
/// row locked, these are the older ones. Their times do not show that, because the clocks of two processes differ.
pub fn list_replaced(connection: &mut AnyConnection, token: &NewToken) -> QueryResult<Replacement> {
    let older = one_time_tokens::table
        .filter(one_time_tokens::user_id.eq(token.user.0))
        .filter(one_time_tokens::purpose.eq(token.purpose.as_str()))
        .filter(one_time_tokens::hash.ne(&token.hash))
        .filter(one_time_tokens::used_at.is_null())
        .select(one_time_tokens::hash)
        .load(connection)?;
    Ok(Replacement { user: token.user, by: token.hash.clone(), older })
}

/// Spends the older tokens, unless the new one is spent. The user's row is locked: of two mails whose attempts overlap, each link
/// can be the other's older one, and one of the two must stay.
pub fn spend_replaced(
    connection: &mut AnyConnection,
    Replacement { by, older, .. }: &Replacement,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    if find_issued(connection, &[by])?.is_none_or(|issued| issued.is_spent) {
        return Ok(());
    }
    let unspent =
        one_time_tokens::table.filter(one_time_tokens::hash.eq_any(older)).filter(one_time_tokens::used_at.is_null());
    diesel::update(unspent).set(one_time_tokens::used_at.eq(Some(At(now)))).execute(connection).map(|_| ())
}

/// Spends every token that would change a user's address to one other than `email`.
pub fn spend_other_email_changes(
    connection: &mut AnyConnection,
    user: UserId,
    email: &str,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let others = one_time_tokens::table
        .filter(one_time_tokens::user_id.eq(user.0))
        .filter(one_time_tokens::purpose.eq(Purpose::ChangeEmail.as_str()))
        .filter(one_time_tokens::email.ne(email))
        .filter(one_time_tokens::used_at.is_null());
    diesel::update(others).set(one_time_tokens::used_at.eq(Some(At(now)))).execute(connection).map(|_| ())
}

/// A link without its token, and its position in the export.
pub type PositionedLink = (LinkPosition, ExportedLink);
/// When a link expires, and the hash of its token.
pub type LinkPosition = (DateTime<Utc>, TokenHash);

/// The next `limit` links of a user after the position `after`, the first to expire first.
pub fn export(
    connection: &mut AnyConnection,
    user: UserId,
    after: &LinkPosition,
    limit: i64,
) -> QueryResult<Vec<PositionedLink>> {
    type LinkColumns = (Vec<u8>, String, String, DateTime<Utc>, Option<DateTime<Utc>>);
    let (at, hash) = after;
    let same_time = one_time_tokens::expires_at.eq(At(*at)).and(one_time_tokens::hash.gt(hash));
    let rows: Vec<LinkColumns> = one_time_tokens::table
        .filter(one_time_tokens::user_id.eq(user.0))
        .filter(one_time_tokens::expires_at.gt(At(*at)).or(same_time))
        .order((one_time_tokens::expires_at, one_time_tokens::hash))
        .select((
            one_time_tokens::hash,
            one_time_tokens::purpose,
            one_time_tokens::email,
            one_time_tokens::expires_at,
            one_time_tokens::used_at,
        ))
        .limit(limit)
        .load(connection)?;
    let link = |(hash, purpose, email, expires_at, used_at)| {
        ((expires_at, hash), ExportedLink { purpose, email, expires_at, used_at })
    };
    Ok(rows.into_iter().map(link).collect())
}

/// Deletes at most `batch` tokens that expired before `before`, and returns how many were deleted.
pub fn delete_expired(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let expired = diesel::alias!(one_time_tokens as expired);
    let ids = expired
        .filter(expired.field(one_time_tokens::expires_at).lt(At(before)))
        .select(expired.field(one_time_tokens::hash))
        .limit(batch);
    diesel::delete(one_time_tokens::table.filter(one_time_tokens::hash.eq_any(ids))).execute(connection)
}

/// Deletes all tokens of a user.
pub fn delete_all(connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
    diesel::delete(one_time_tokens::table.filter(one_time_tokens::user_id.eq(user.0))).execute(connection).map(|_| ())
}

/// The values that the column `purpose` holds.
fn stored(purposes: &[Purpose]) -> Vec<&'static str> {
    purposes.iter().map(|purpose| purpose.as_str()).collect()
}
