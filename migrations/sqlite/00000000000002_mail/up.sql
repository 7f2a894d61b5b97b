-- A link that was mailed to somebody: good for one use, until it runs out. Only a hash of what the link holds is kept.
CREATE TABLE one_time_tokens (
    hash blob NOT NULL PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('reset_password', 'verify_email', 'change_email')),
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email text NOT NULL,
    expires_at text NOT NULL,
    used_at text
);
CREATE INDEX one_time_tokens_user_id ON one_time_tokens (user_id);
CREATE INDEX one_time_tokens_expires_at ON one_time_tokens (expires_at);

-- Mail that has not left yet. A row holds no token: a link's token is made when the mail is sent.
CREATE TABLE mail_outbox (
    id integer PRIMARY KEY AUTOINCREMENT,
    kind text NOT NULL,
    user_id integer REFERENCES users (id) ON DELETE CASCADE,
    recipient text NOT NULL,
    ip_address text,
    user_agent text,
    created_at text NOT NULL,
    due_at text NOT NULL,
    expires_at text NOT NULL,
    attempts integer NOT NULL DEFAULT 0
);
CREATE INDEX mail_outbox_user_id ON mail_outbox (user_id);
CREATE INDEX mail_outbox_due_at ON mail_outbox (due_at);
