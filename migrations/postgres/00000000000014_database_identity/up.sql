-- What distinguishes this database from others that keep their backups in the same storage: one row. No backup contains it.
CREATE TABLE database_identity (
    id text PRIMARY KEY
);
INSERT INTO database_identity (id) VALUES (left(replace(gen_random_uuid()::text, '-', ''), 12));
