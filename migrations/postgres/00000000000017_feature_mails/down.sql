-- Without the key they can never be written.
DELETE FROM mail_outbox WHERE about IS NOT NULL;
ALTER TABLE mail_outbox DROP COLUMN about;
