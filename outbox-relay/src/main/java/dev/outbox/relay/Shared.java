package dev.outbox.relay;

import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** What all rounds of a relay share. Safe for use by several threads. */
final class Shared {
    /** How often a message may run out of memory before that counts as its failure. */
    private static final int FORGIVEN = 3;

    private static final int MOST_FORGIVEN = 1000;

    final Store store;
    final Listeners listeners;
    final Time time;
    final Duration maxBatchTime;
    final Helpers helpers;
    final Unsettled unsettled;
    final Admission admission;
    final PartitionCounts partitionCounts = new PartitionCounts();
    final ClosingPartitions closing = new ClosingPartitions();
    final SparingLog failures = new SparingLog("failures");
    final SparingLog deaths = new SparingLog("dead letters");
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
