package dev.outbox.store.jooq.fault;

import java.util.List;

/**
 * How many take part in a history.
 *
 * @param relays processes
 * @param workers threads of each of them
 * @param batchSize messages that each thread takes at a time
 * @param writers threads that write
 * @param partitions of the topic
 */
record Settings(int relays, int workers, int batchSize, int writers, int partitions) {
    static final String TOPIC = "faults";

    /** Two relays and four writers. */
    static final Settings USUAL = new Settings(2, 2, 20, 4, 8);

    /** So that a batch never holds all partitions, and the others have work while it stands still. */
    static final Settings SMALL_BATCHES = new Settings(2, 1, 4, 4, 8);

    /** What one fault may bring twice: the open batches. */
    int mostInHand() {
        return relays * workers * batchSize;
    }

    List<String> relayNames() {
        return java.util.stream.IntStream.rangeClosed(1, relays)
                .mapToObj(i -> "relay-" + i)
                .toList();
    }
}
