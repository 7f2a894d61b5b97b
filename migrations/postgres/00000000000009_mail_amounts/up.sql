-- Who asked for a mail (a client's network), so that each client has a share of the worker. A client's mails take turns
-- with those of others; what a release without turns has written comes first.
ALTER TABLE mail_outbox ADD COLUMN requester text;
ALTER TABLE mail_outbox ADD COLUMN turn_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00';
-- A notice may stand for several events of its kind: how many, and when the first was (without it, `created_at`).
ALTER TABLE mail_outbox ADD COLUMN occurrences bigint NOT NULL DEFAULT 1;
ALTER TABLE mail_outbox ADD COLUMN first_at timestamptz;
CREATE INDEX mail_outbox_requester ON mail_outbox (requester, turn_at);
CREATE INDEX mail_outbox_turn_at ON mail_outbox (turn_at, id);

-- Mails of the last hour, counted by address. The address is a keyed hash: a deleted account leaves no address here,
-- and its mails still count.
CREATE TABLE sent_mails (
    mail_id bigint PRIMARY KEY,
    address_hash bytea NOT NULL,
    kind text NOT NULL,
    sent_at timestamptz NOT NULL
);
CREATE INDEX sent_mails_address_hash ON sent_mails (address_hash, sent_at);
CREATE INDEX sent_mails_sent_at ON sent_mails (sent_at);
