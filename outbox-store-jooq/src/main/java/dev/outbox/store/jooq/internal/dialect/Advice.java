package dev.outbox.store.jooq.internal.dialect;

/** What to do about errors that several databases have. */
public final class Advice {
    static final String READ_ONLY =
            "The database, or this connection to it, is read-only: perhaps it is a replica, or the transaction was begun"
                    + " so. A relay deletes what it has published, and writers write: connect both to the primary.";

    /** What MySQL and MariaDB do not take. */
    public static final String TOO_LARGE =
            "The message is larger than the server accepts (its setting max_allowed_packet, which must have room"
                    + " for the payload and, at worst, as much again for escaping it). Raise the setting to 64M, or"
                    + " store large content elsewhere and publish a reference to it.";

    private Advice() {}
}
