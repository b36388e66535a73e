package dev.outbox.rabbitmq;

/** What becomes of a message that the exchange routes to no queue. RabbitMQ confirms such a message, and drops it. */
public enum Unroutable {
    /**
     * It fails as if the broker were away: no attempt is counted, and its topic pauses until a queue is bound. A queue
     * that is missing then buries no backlog.
     */
    WAIT,
    /** It becomes a dead letter now. For routing keys that messages choose, and that may be wrong. */
    REFUSE,
    /** It counts as published: nobody is interested in it. */
    DROP
}
