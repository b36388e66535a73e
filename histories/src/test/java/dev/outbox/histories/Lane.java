package dev.outbox.histories;

import java.time.Duration;

/** The topics of a history, which differ in their partitions, publishers and patience. */
enum Lane {
    SINGLE(1, Kind.SYNCHRONOUS),
    SIXTEEN(16, Kind.SYNCHRONOUS),
    WIDE(200, Kind.SYNCHRONOUS),
    LATER(16, Kind.ASYNCHRONOUS),
    EAGER(8, Kind.SEVERAL_IN_FLIGHT),
    MORTAL(16, Kind.SYNCHRONOUS);

    private enum Kind {
        SYNCHRONOUS,
        ASYNCHRONOUS,
        SEVERAL_IN_FLIGHT
    }

    /** After so many attempts a message of {@link #MORTAL} is given up; those of others never are. */
    static final int ATTEMPTS = 3;

    /** How long an asynchronous publisher may take. */
    static final Duration TIMEOUT = Duration.ofSeconds(4);

    /** The longest delay after a failure. */
    static final Duration DELAY = Duration.ofSeconds(1);

    private final int partitions;
    private final Kind kind;

    Lane(int partitions, Kind kind) {
        this.partitions = partitions;
        this.kind = kind;
    }

    static Lane of(String topic) {
        return valueOf(topic.toUpperCase(java.util.Locale.ROOT));
    }

    String topic() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    int partitions() {
        return partitions;
    }

    boolean isAsynchronous() {
        return kind != Kind.SYNCHRONOUS;
    }

    /** Messages of a partition that may be with the publisher at a time. */
    int inFlight() {
        return kind == Kind.SEVERAL_IN_FLIGHT ? 4 : 1;
    }
}
