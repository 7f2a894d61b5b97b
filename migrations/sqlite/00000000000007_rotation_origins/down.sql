ALTER TABLE sessions DROP COLUMN previous_rotation_origin;
ALTER TABLE sessions DROP COLUMN rotation_origin;
