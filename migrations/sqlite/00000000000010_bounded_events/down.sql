DROP INDEX mail_outbox_recipient;
CREATE INDEX sessions_user_id ON sessions (user_id);
DROP INDEX sessions_user_id_id;
DROP INDEX auth_events_of_nobody;
DROP INDEX auth_events_at;
