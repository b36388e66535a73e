-- outbox on PostgreSQL, schema version 2. Can be run again. Put it into your own migrations if you have any.

CREATE TABLE IF NOT EXISTS outbox_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic varchar(200) COLLATE "C" NOT NULL,
    partition_no integer NOT NULL,
    message_key varchar(1000),
    headers text,
    payload bytea NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    original_id bigint,
    message_id varchar(36) COLLATE "C"
);

CREATE INDEX IF NOT EXISTS outbox_message_order ON outbox_message (topic, partition_no, id);

-- Relays lock partitions by these rows: never delete one, or empty the table, while a relay runs.
CREATE TABLE IF NOT EXISTS outbox_partition (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic varchar(200) COLLATE "C" NOT NULL,
    partition_no integer NOT NULL,
    failing_id bigint,
    reason text,
    failed_at timestamptz,
    retry_at timestamptz,
    UNIQUE (topic, partition_no)
);

CREATE TABLE IF NOT EXISTS outbox_dead_letter (
    id bigint PRIMARY KEY,
    topic varchar(200) COLLATE "C" NOT NULL,
    partition_no integer NOT NULL,
    message_key varchar(1000),
    headers text,
    payload bytea NOT NULL,
    attempts integer NOT NULL,
    created_at timestamptz NOT NULL,
    reason text NOT NULL,
    died_at timestamptz NOT NULL,
    message_id varchar(36) COLLATE "C"
);

CREATE INDEX IF NOT EXISTS outbox_dead_letter_order ON outbox_dead_letter (topic, died_at, id);

CREATE INDEX IF NOT EXISTS outbox_dead_letter_message ON outbox_dead_letter (message_id);

-- lock_key tells the locks of this outbox from those of every other outbox in the database, and
-- version is that of the oldest library that can work with these tables.
CREATE TABLE IF NOT EXISTS outbox_schema (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL,
    lock_key integer NOT NULL
);

INSERT INTO outbox_schema (version, lock_key)
VALUES (1, floor(random() * 2147483647)::integer)
ON CONFLICT DO NOTHING;
