package dev.outbox.micrometer;

import dev.outbox.Operations;
import dev.outbox.micrometer.MeterDetail.Row;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * What a store said about itself at one moment. Topics that it did not name have nothing of that kind. Not changed
 * after it was made.
 */
record Snapshot(Map<Row, Long> pending, Map<Row, Duration> oldest, Map<Row, Long> failing, Map<Row, Long> deadLetters) {
    static final Snapshot EMPTY = new Snapshot(Map.of(), Map.of(), Map.of(), Map.of());

    /** Asks the store. */
    static Snapshot of(Operations operations, MeterDetail detail) {
        Map<Row, Long> pending = new HashMap<>();
        Map<Row, Duration> oldest = new HashMap<>();
        Map<Row, Long> failing = new HashMap<>();
        Map<Row, Long> deadLetters = new HashMap<>();
        for (Operations.Backlog each : operations.backlog()) {
            Row row = detail.row(each.topic(), each.partition());
            pending.merge(row, each.pending(), Long::sum);
            oldest.merge(row, each.oldestAge(), (one, other) -> one.compareTo(other) > 0 ? one : other);
        }
        for (Operations.FailingPartition each : operations.failingPartitions()) {
            failing.merge(detail.row(each.topic(), each.partition()), 1L, Long::sum);
        }
        for (Operations.DeadLetterTopic each : operations.deadLetterTopics()) {
            deadLetters.merge(detail.row(each.topic()), each.deadLetters(), Long::sum);
        }
        return new Snapshot(pending, oldest, failing, deadLetters);
    }
}
