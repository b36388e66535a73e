package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.outbox.Codecs;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.Topic;
import dev.outbox.relay.Unsettled.Entry;
import dev.outbox.relay.Unsettled.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ClosingPartitionsTest {
    private static final Partition PARTITION = new Partition("t", 1);

    private final Route<String> route =
            new Route<>(Topic.builder("t", Codecs.text()).build(), new Time(1), Interceptors.NONE);
    private final ClosingPartitions closing = new ClosingPartitions();
    private final Unsettled unsettled = new Unsettled(new Time(1));
    private final PersistedMessage first = message("1");
    private final PersistedMessage second = message("2");

    private static PersistedMessage message(String id) {
        return message(id, Instant.EPOCH);
    }

    private static PersistedMessage message(String id, Instant createdAt) {
        return new PersistedMessage(id, "t", 1, null, Map.of(), new byte[0], 0, createdAt);
    }

    private static Entry published(PersistedMessage message) {
        Entry entry = new Entry(PARTITION, message, Kind.PUBLISHED, null, Duration.ZERO);
        entry.marked = true;
        return entry;
    }

    private List<PartitionQueue<String>> batchOf(Partition partition, PersistedMessage message) {
        PartitionQueue<String> queue = new PartitionQueue<>(route, partition);
        queue.add(message);
        return List.of(queue);
    }

    @Test
    void aMessageThatComesWhileItsCloseIsUnderWayWasNotSettledByIt() {
        List<Entry> entries = List.of(published(first), published(second));
        ClosingPartitions.Close close = closing.begin(entries);
        assertNotNull(close);
        closing.takeOver(batchOf(PARTITION, first), unsettled);
        Entry taken = unsettled.find(PARTITION, first);
        assertNotNull(taken);
        assertEquals(Kind.PUBLISHED, taken.kind);
        closing.end(close, new StoreException("of the test"), unsettled, entries);
        assertNull(unsettled.find(PARTITION, first), "whoever took it over has it");
        assertNotNull(unsettled.find(PARTITION, second), "nobody has taken it over");
        unsettled.closed(List.of(taken), false);
        assertNotNull(unsettled.find(PARTITION, first), "the batch that took it over could not be closed either");
    }

    @Test
    void aCloseThatGoesWellLeavesNothing() {
        List<Entry> entries = List.of(published(first));
        ClosingPartitions.Close close = closing.begin(entries);
        closing.takeOver(batchOf(PARTITION, second), unsettled);
        closing.takeOver(batchOf(new Partition("t", 2), message("1")), unsettled);
        closing.end(close, null, unsettled, entries);
        closing.takeOver(batchOf(PARTITION, first), unsettled);
        assertEquals(0, unsettled.size());
    }

    /** A batch begins with the oldest message of the partition that is there. */
    @Test
    void whatABatchHasShownToBeGoneIsNotRememberedWhenTheAnswerIsLost() {
        List<Entry> entries = List.of(published(first), published(second));
        ClosingPartitions.Close close = closing.begin(entries);
        closing.takeOver(batchOf(PARTITION, message("3", Instant.EPOCH.plusMillis(1))), unsettled);
        closing.end(close, new StoreException("of the test"), unsettled, entries);
        assertEquals(0, unsettled.size());
    }

    @Test
    void aBatchThatBeginsWithAnOldMessageShowsNothing() {
        PersistedMessage later = message("2", Instant.EPOCH.plusMillis(1));
        for (PersistedMessage head : List.of(message("0"), later)) {
            List<Entry> entries = List.of(published(first), published(later));
            ClosingPartitions.Close close = closing.begin(entries);
            closing.takeOver(batchOf(PARTITION, head), unsettled);
            closing.end(close, new StoreException("of the test"), unsettled, entries);
            assertNotNull(unsettled.find(PARTITION, first), head.id());
            assertNotNull(unsettled.find(PARTITION, later), head.id());
        }
    }
}
