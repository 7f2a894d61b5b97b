ALTER TABLE mail_outbox DROP COLUMN registration_id;
DROP TABLE pending_registrations;
