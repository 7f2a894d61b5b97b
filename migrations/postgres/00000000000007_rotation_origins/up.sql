-- Network and user agent of the last two rotations, hashed; NULL where a rotation had an idempotency key or an unknown client.
-- A refresh writes them, so no index covers them.
ALTER TABLE sessions ADD COLUMN rotation_origin bytea;
ALTER TABLE sessions ADD COLUMN previous_rotation_origin bytea;
