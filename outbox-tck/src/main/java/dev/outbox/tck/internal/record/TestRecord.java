package dev.outbox.tck.internal.record;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** What one test did, and what it saw. Safe for use by several threads. */
public final class TestRecord {
    private final Events events = new Events();
    private final AtomicLong operations = new AtomicLong();
    private final AtomicLong proofs = new AtomicLong();
    private volatile String summary = "";

    /** Notes what happened. */
    public void add(String event) {
        operations.incrementAndGet();
        events.add(event);
    }

    /** Notes that messages were delivered, or answers given, from which a test can draw a conclusion. */
    public void saw(int what) {
        proofs.addAndGet(what);
    }

    /** Notes what a history has checked. */
    public void saw(int deliveries, String checked) {
        saw(deliveries);
        summary = checked;
        add(checked);
    }

    /** Whether a test that passed has seen anything from which that follows. */
    public boolean provedAnything() {
        return proofs.get() > 0;
    }

    /** What was seen, in a line, for a test that passed. */
    public String summary() {
        return summary.isEmpty()
                ? "kept in " + operations.get() + " operations, which " + proofs.get() + " messages or answers came of"
                : summary;
    }

    /** What a message is called in the history. */
    public String name(PersistedMessage message) {
        return events.name(message);
    }

    /** What a message is called in the history. */
    public String name(String id, OutgoingMessage message) {
        return events.name(id, message.payload());
    }

    /** The last events, each a line. */
    public List<String> events() {
        return events.lines();
    }
}
