-- Events go by their age, whatever the order of their ids.
CREATE INDEX auth_events_at ON auth_events (at);
-- Events that belong to no account are bounded by their number.
CREATE INDEX auth_events_of_nobody ON auth_events (id) WHERE user_id IS NULL;

-- A user's sessions are read in pages.
CREATE INDEX sessions_user_id_id ON sessions (user_id, id);
DROP INDEX sessions_user_id;

-- The mail that goes to an address is exported, and deleted, with its account.
CREATE INDEX mail_outbox_recipient ON mail_outbox (recipient);
