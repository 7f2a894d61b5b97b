-- The lifetimes with which processes have issued access tokens, and until when each has issued them. How long revoked sessions must be
-- remembered depends on these, not on the setting, which may have changed since.
CREATE TABLE access_lifetimes (
    seconds integer NOT NULL PRIMARY KEY,
    used_until text NOT NULL
);
