package dev.outbox.tck.internal.process;

/** Where in a relay's round a process is killed. */
public enum KillPoint {
    AFTER_CHECKOUT,
    /** The broker has the messages, and nothing of that is noted anywhere. */
    AFTER_PUBLISH,
    AFTER_MARK,
    /** Somewhere in the middle of it: as long after its begin as was drawn by lot. */
    DURING_CLOSE
}
