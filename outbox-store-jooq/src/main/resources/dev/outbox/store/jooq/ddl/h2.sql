-- outbox on H2, schema version 2. Can be run again. Put it into your own migrations if you have any.

CREATE TABLE IF NOT EXISTS outbox_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic varchar(200) NOT NULL,
    partition_no integer NOT NULL,
    message_key varchar(1000),
    headers varchar,
    payload varbinary(16777216) NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp(6) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    original_id bigint,
    message_id varchar(36)
);

CREATE INDEX IF NOT EXISTS outbox_message_order ON outbox_message (topic, partition_no, id);

-- Relays lock partitions by these rows: never delete one, or empty the table, while a relay runs.
CREATE TABLE IF NOT EXISTS outbox_partition (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic varchar(200) NOT NULL,
    partition_no integer NOT NULL,
    failing_id bigint,
    reason varchar,
    failed_at timestamp(6) with time zone,
    retry_at timestamp(6) with time zone,
    UNIQUE (topic, partition_no)
);

CREATE TABLE IF NOT EXISTS outbox_dead_letter (
    id bigint PRIMARY KEY,
    topic varchar(200) NOT NULL,
    partition_no integer NOT NULL,
    message_key varchar(1000),
    headers varchar,
    payload varbinary(16777216) NOT NULL,
    attempts integer NOT NULL,
    created_at timestamp(6) with time zone NOT NULL,
    reason varchar NOT NULL,
    died_at timestamp(6) with time zone NOT NULL,
    message_id varchar(36)
);

CREATE INDEX IF NOT EXISTS outbox_dead_letter_order ON outbox_dead_letter (topic, died_at, id);

CREATE INDEX IF NOT EXISTS outbox_dead_letter_message ON outbox_dead_letter (message_id);

-- lock_key is for databases that lock by number. H2 locks the rows of outbox_partition. version is that of the oldest
-- library that can work with these tables.
CREATE TABLE IF NOT EXISTS outbox_schema (
    only_row boolean DEFAULT true PRIMARY KEY CHECK (only_row),
    version integer NOT NULL,
    lock_key integer NOT NULL
);

INSERT INTO outbox_schema (version, lock_key)
SELECT 1, CAST(FLOOR(RAND() * 2147483647) AS integer)
WHERE NOT EXISTS (SELECT 1 FROM outbox_schema);
