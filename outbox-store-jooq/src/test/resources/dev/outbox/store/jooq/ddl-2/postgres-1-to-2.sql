-- From version 1 to the next. Can be run again, also after it was cut off.
--
-- Writers and relays may go on meanwhile, with the old library and the new. Adding the column rewrites nothing, but waits
-- for the transactions that use the table, open batches among them, and others wait behind it: choose a moment without
-- long ones, or SET lock_timeout and try again.

ALTER TABLE outbox_message ADD COLUMN IF NOT EXISTS tx xid8 NOT NULL DEFAULT pg_current_xact_id();

UPDATE outbox_schema SET version = 2 WHERE version = 1;
