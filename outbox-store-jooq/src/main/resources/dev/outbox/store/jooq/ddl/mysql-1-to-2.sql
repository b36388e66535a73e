-- outbox on MySQL, from schema version 1 to 2: messages have an id that never comes again, beside the number of their row.
-- Can be run again, also after it was cut off. Run it before the first process with the new library starts.
--
-- Writers and relays go on meanwhile and afterwards, with the old library and the new. Nothing is rewritten. But each ALTER TABLE
-- waits for the transactions that use the table, open batches among them, and whoever comes later waits behind it. So run it
-- with SET lock_wait_timeout = 1, and again until it gets through. MySQL knows no ADD COLUMN IF NOT EXISTS.

SET @outbox_ddl = (SELECT if(count(*) = 0, 'ALTER TABLE outbox_message ADD COLUMN message_id varchar(36)', 'DO 0')
    FROM information_schema.columns
    WHERE concat(table_schema, '.', table_name) IN ('outbox_message', concat(database(), '.outbox_message'))
    AND column_name = 'message_id');

PREPARE outbox_ddl FROM @outbox_ddl;

EXECUTE outbox_ddl;

DEALLOCATE PREPARE outbox_ddl;

SET @outbox_ddl = (SELECT if(count(*) = 0, 'ALTER TABLE outbox_dead_letter ADD COLUMN message_id varchar(36)', 'DO 0')
    FROM information_schema.columns
    WHERE concat(table_schema, '.', table_name) IN ('outbox_dead_letter', concat(database(), '.outbox_dead_letter'))
    AND column_name = 'message_id');

PREPARE outbox_ddl FROM @outbox_ddl;

EXECUTE outbox_ddl;

DEALLOCATE PREPARE outbox_ddl;

SET @outbox_ddl = (SELECT if(count(*) = 0, 'CREATE INDEX outbox_dead_letter_message ON outbox_dead_letter (message_id)', 'DO 0')
    FROM information_schema.statistics
    WHERE concat(table_schema, '.', table_name) IN ('outbox_dead_letter', concat(database(), '.outbox_dead_letter'))
    AND index_name = 'outbox_dead_letter_message');

PREPARE outbox_ddl FROM @outbox_ddl;

EXECUTE outbox_ddl;

DEALLOCATE PREPARE outbox_ddl;
