-- When its owner deleted an account. The row stays for as long as the sessions that were ended with it, without what it said
-- of a person: every process must hear of their end, and a request that is still under way must find a row to refer to.
ALTER TABLE users ADD COLUMN deleted_at timestamptz;
CREATE INDEX users_deleted_at ON users (deleted_at) WHERE deleted_at IS NOT NULL;

-- What happened to an account is shown newest first, page by page.
CREATE INDEX auth_events_user_id_at_id ON auth_events (user_id, at, id);
DROP INDEX auth_events_user_id_id;
