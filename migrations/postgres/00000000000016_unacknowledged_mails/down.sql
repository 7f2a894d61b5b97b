ALTER TABLE sent_mails DROP COLUMN copies;
ALTER TABLE mail_outbox DROP COLUMN unacknowledged;
