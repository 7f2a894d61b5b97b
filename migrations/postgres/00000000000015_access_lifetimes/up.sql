-- The lifetimes with which processes have issued access tokens, and until when each has issued them. How long revoked sessions must be
-- remembered depends on these, not on the setting, which may have changed since.
CREATE TABLE access_lifetimes (
    seconds bigint PRIMARY KEY,
    used_until timestamptz NOT NULL
);
