CREATE INDEX auth_events_user_id_id ON auth_events (user_id, id);
DROP INDEX auth_events_user_id_at_id;
DROP INDEX users_deleted_at;
ALTER TABLE users DROP COLUMN deleted_at;
