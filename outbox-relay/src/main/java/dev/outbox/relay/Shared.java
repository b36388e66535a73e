package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import dev.outbox.OutboxListener;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.internal.Causes;
import dev.outbox.internal.Log;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** What all rounds of a relay share. Safe for use by several threads. */
final class Shared {
    /** How often a message may run out of memory before that counts as its failure. */
    private static final int FORGIVEN = 3;

    private static final int MOST_FORGIVEN = 1000;

    /** Of a broker that its publisher says is away. */
    static final String IS_AWAY = "is away";

    /** Of a broker for which failures or silence say it. */
    static final String SEEMS_AWAY = "seems to be away";

    final Store store;
    final Listeners listeners;
    final Time time;
    final Duration maxBatchTime;
    final Helpers helpers;
    final Unsettled unsettled;
    final Admission admission;
    final PartitionCounts partitionCounts = new PartitionCounts();
    final ClosingPartitions closing = new ClosingPartitions();
    final Log sparing = LOG.sparing();
    private final Map<String, Integer> forgiven = new LinkedHashMap<>();

    Shared(Store store, Listeners listeners, Time time, Duration maxBatchTime, Helpers helpers) {
        this.store = store;
        this.listeners = listeners;
        this.time = time;
        this.maxBatchTime = maxBatchTime;
        this.helpers = helpers;
        this.unsettled = new Unsettled(time);
        this.admission = new Admission(time);
    }

    /**
     * Leaves a topic out, and says so if it was not left out before.
     *
     * @param isAway what is said of its broker
     * @param start when the message was started that shows it, by {@link System#nanoTime}
     */
    void leaveOut(Route<?> route, String isAway, Throwable failure, long start) {
        Throwable cause = Causes.unwrapped(failure);
        Duration pause = route.leaveOut(FailureText.of(cause), start);
        if (pause == null) {
            return;
        }
        String topic = route.topic.name();
        listeners.leftOut(new OutboxListener.LeftOut(topic, pause, cause));
        try {
            LOG.warn(
                    "[OUTBOX-106] The broker of topic {} {}: {}. Nothing of the topic is asked for until it is back;"
                            + " meanwhile it is tried with one message at a time, with growing pauses of up to a"
                            + " minute",
                    topic,
                    isAway,
                    FailureText.of(cause));
        } catch (Throwable e) {
            // The state says it, and the listeners were told.
        }
    }

    /**
     * Whether a lack of memory is put down to this process and not to the message, which comes again: the first times,
     * since others may have filled the heap. After that it is the message's, which may be what does not fit.
     */
    synchronized boolean forgives(PersistedMessage message) {
        int times = forgiven.merge(message.id(), 1, Integer::sum);
        if (forgiven.size() > MOST_FORGIVEN) {
            forgiven.remove(forgiven.keySet().iterator().next());
        }
        return times <= FORGIVEN;
    }
}
