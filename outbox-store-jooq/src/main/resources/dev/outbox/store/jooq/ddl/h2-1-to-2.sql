-- outbox on H2, from schema version 1 to 2: messages have an id that never comes again, beside the number of their row.
-- Can be run again, also after it was cut off. Run it before the first process with the new library starts.
--
-- H2 copies a table to which it adds a column, and nobody else uses the database meanwhile.

ALTER TABLE outbox_message ADD COLUMN IF NOT EXISTS message_id varchar(36);

ALTER TABLE outbox_dead_letter ADD COLUMN IF NOT EXISTS message_id varchar(36);

CREATE INDEX IF NOT EXISTS outbox_dead_letter_message ON outbox_dead_letter (message_id);
