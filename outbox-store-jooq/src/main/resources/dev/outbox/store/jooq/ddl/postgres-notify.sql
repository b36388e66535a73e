-- outbox on PostgreSQL, for stores opened with wakeUp=true. Can be run again.
--
-- From here on every transaction that writes messages notifies at its commit. PostgreSQL commits such transactions one
-- after the other, whatever else they do: it takes a lock of the whole server for it. Creating the trigger waits for
-- the transactions that write messages, and others wait behind it.

CREATE OR REPLACE FUNCTION outbox_notify() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify('outbox_' || TG_RELID, ''); RETURN NULL; END $$;

CREATE OR REPLACE TRIGGER outbox_message_notify AFTER INSERT ON outbox_message
FOR EACH STATEMENT EXECUTE FUNCTION outbox_notify();
