package dev.outbox.opentelemetry;

/** How the span of sending a message belongs to the span of its creation. */
public enum TraceRelation {
    /**
     * Sending is a trace of its own, with a link to the creation. A message may be sent much later, and more than once.
     */
    LINK,
    /** Sending is a child of the creation, in the same trace. That trace ends when the last retry does. */
    CHILD
}
