-- outbox on MariaDB, from schema version 1 to 2: messages have an id that never comes again, beside the number of their row.
-- Can be run again, also after it was cut off. Run it before the first process with the new library starts.
--
-- Writers and relays go on meanwhile and afterwards, with the old library and the new. Nothing is rewritten. But each ALTER TABLE
-- waits for the transactions that use the table, open batches among them, and whoever comes later waits behind it. So run it
-- with SET lock_wait_timeout = 1, and again until it gets through.

ALTER TABLE outbox_message ADD COLUMN IF NOT EXISTS message_id varchar(36);

ALTER TABLE outbox_dead_letter ADD COLUMN IF NOT EXISTS message_id varchar(36);

CREATE INDEX IF NOT EXISTS outbox_dead_letter_message ON outbox_dead_letter (message_id);
