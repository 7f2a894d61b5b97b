CREATE TABLE users (
    id integer PRIMARY KEY AUTOINCREMENT,
    email text NOT NULL,
    email_canonical text NOT NULL UNIQUE,
    username text,
    username_canonical text UNIQUE,
    password_hash text NOT NULL,
    display_name text NOT NULL DEFAULT '',
    role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
    is_active boolean NOT NULL DEFAULT 1,
    email_verified_at text,
    avatar_key text,
    created_at text NOT NULL,
    last_login_at text
);

-- Instants are text in UTC, `YYYY-MM-DD HH:MM:SS.ffffff`, so that they compare as they should.
CREATE TABLE sessions (
    id text NOT NULL PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    generation integer NOT NULL CHECK (generation >= 1),
    jti text NOT NULL,
    rotation_key_hash blob,
    created_at text NOT NULL,
    rotated_at text NOT NULL,
    previous_rotated_at text,
    expires_at text NOT NULL,
    absolute_expires_at text NOT NULL,
    revoked_at text,
    revoke_reason text,
    ip_address text,
    user_agent text,
    CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
);
CREATE INDEX sessions_user_id ON sessions (user_id);
-- The revoked-session feed reads the newest end of this one every second.
CREATE INDEX sessions_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE auth_events (
    id integer PRIMARY KEY AUTOINCREMENT,
    user_id integer REFERENCES users (id) ON DELETE CASCADE,
    kind text NOT NULL,
    at text NOT NULL,
    ip_address text,
    user_agent text,
    detail text NOT NULL DEFAULT '{}'
);
CREATE INDEX auth_events_user_id_id ON auth_events (user_id, id);
