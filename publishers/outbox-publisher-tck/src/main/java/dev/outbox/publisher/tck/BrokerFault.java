package dev.outbox.publisher.tck;

/** What a harness does to its broker, or to one destination, so that no message can be taken. */
public enum BrokerFault {
    /** The processes of the broker are killed, as by {@code kill -9}. They are started again with their data. */
    KILLED,
    /** The processes of the broker stand still, as by {@code kill -STOP}: connections stay open, nobody answers. */
    PAUSED,
    /** All connections of publishers are cut, and new ones are refused. What was under way is lost. */
    CUT_OFF,
    /** The broker has no room for messages of the destination, or not enough replicas that would keep them. */
    FULL,
    /** The destination is not there. It comes back empty. */
    MISSING,
    /** The broker does not allow the publisher to write to the destination. */
    FORBIDDEN
}
