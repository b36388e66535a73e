package dev.outbox.store.jooq;

/** The databases that the outbox supports. */
public enum SqlDatabase {
    /** PostgreSQL 14 or newer. */
    POSTGRESQL,
    /** MySQL 8.0.20 or newer. */
    MYSQL,
    /** MariaDB 10.6 or newer. */
    MARIADB,
    /** H2 2.3 or newer. */
    H2
}
