-- A sign-up whose address has to be confirmed first. It is no account: it claims no name, and an address may have several.
-- The link of the mail makes one of them the account.
CREATE TABLE pending_registrations (
    id integer PRIMARY KEY AUTOINCREMENT,
    email text NOT NULL,
    email_canonical text NOT NULL,
    username text,
    username_canonical text,
    password_hash text NOT NULL,
    display_name text NOT NULL DEFAULT '',
    language text,
    registration_hash blob NOT NULL,
    link_hash blob UNIQUE,
    ip_address text,
    user_agent text,
    created_at text NOT NULL,
    expires_at text NOT NULL
);
CREATE INDEX pending_registrations_email_canonical ON pending_registrations (email_canonical, id);
CREATE INDEX pending_registrations_expires_at ON pending_registrations (expires_at);

-- Which of them a mail is about. Not a reference: the mail of one that is gone is dropped when it is due.
ALTER TABLE mail_outbox ADD COLUMN registration_id integer;
