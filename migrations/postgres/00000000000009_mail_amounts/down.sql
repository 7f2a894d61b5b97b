DROP TABLE sent_mails;
DROP INDEX mail_outbox_turn_at;
DROP INDEX mail_outbox_requester;
ALTER TABLE mail_outbox DROP COLUMN first_at;
ALTER TABLE mail_outbox DROP COLUMN occurrences;
ALTER TABLE mail_outbox DROP COLUMN turn_at;
ALTER TABLE mail_outbox DROP COLUMN requester;
