-- outbox on MySQL, schema version 2. Can be run again. Put it into your own migrations if you have any.
-- Times are in UTC, whatever time zone a connection is set to.

CREATE TABLE IF NOT EXISTS outbox_message (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    topic varchar(200) NOT NULL,
    partition_no integer NOT NULL,
    message_key varchar(1000),
    headers mediumtext,
    payload longblob NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at datetime(6) NOT NULL DEFAULT (utc_timestamp(6)),
    original_id bigint,
    message_id varchar(36),
    INDEX outbox_message_order (topic, partition_no, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS outbox_partition (
    id integer NOT NULL AUTO_INCREMENT PRIMARY KEY,
    topic varchar(200) NOT NULL,
    partition_no integer NOT NULL,
    failing_id bigint,
    reason text,
    failed_at datetime(6),
    retry_at datetime(6),
    UNIQUE INDEX outbox_partition_name (topic, partition_no)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS outbox_dead_letter (
    id bigint NOT NULL PRIMARY KEY,
    topic varchar(200) NOT NULL,
    partition_no integer NOT NULL,
    message_key varchar(1000),
    headers mediumtext,
    payload longblob NOT NULL,
    attempts integer NOT NULL,
    created_at datetime(6) NOT NULL,
    reason text NOT NULL,
    died_at datetime(6) NOT NULL,
    message_id varchar(36),
    INDEX outbox_dead_letter_order (topic, died_at, id),
    INDEX outbox_dead_letter_message (message_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- lock_key is for databases that lock by number. MySQL locks the rows of outbox_partition. version is that of the oldest
-- library that can work with these tables.
CREATE TABLE IF NOT EXISTS outbox_schema (
    only_row tinyint NOT NULL DEFAULT 1 PRIMARY KEY,
    version integer NOT NULL,
    lock_key integer NOT NULL,
    CHECK (only_row = 1)
) ENGINE = InnoDB;

INSERT IGNORE INTO outbox_schema (only_row, version, lock_key)
VALUES (1, 1, floor(rand() * 2147483647));
