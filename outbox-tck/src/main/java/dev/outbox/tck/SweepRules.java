package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Sizes of batches from 1 on, and the numbers at which a count or a length needs one bit more. */
@AtLevel(Level.CONCURRENCY)
interface SweepRules {
    /** The bits of the types that databases and languages have, signed and unsigned. */
    List<Integer> BITS = List.of(7, 8, 15, 16);

    /** Delays beyond this may be any delay that is no shorter. */
    Duration LONGEST_EXACT = Duration.ofDays(10 * 365);

    /** How much later a store's clock may be read than this one, and how coarse it may be. */
    Duration SLACK = Duration.ofMinutes(2);

    @Rule("OBX-ORDER-1")
    default void everySizeOfABatchIsFilledInOrder(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> texts =
                IntStream.rangeClosed(1, 1_030).mapToObj(i -> "message " + i).toList();
        try (Writer writer = outbox.begin()) {
            writer.writeAll(texts.stream()
                    .map(text -> TestOutbox.message(TOPIC, 0, text))
                    .toList());
            writer.commit();
        }
        Set<Integer> sizes = IntStream.rangeClosed(1, 40).boxed().collect(Collectors.toCollection(TreeSet::new));
        for (int edge : new int[] {50, 64, 100, 128, 200, 256, 500, 512, 1_000, 1_024}) {
            sizes.addAll(List.of(edge - 1, edge, edge + 1));
        }
        for (int size : sizes) {
            String what = "a checkout of " + size + " where a partition has " + texts.size() + " messages";
            try (Client.Batch batch = outbox.promptly(what, () -> client.checkout(size))) {
                assertEquals(texts.subList(0, size), batch.texts(), what);
            }
        }
    }

    @Rule("OBX-RETRY-2")
    default void delaysOfEveryLengthHoldAPartitionBack(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        // From more than half an hour to three centuries: a bit more each time.
        Map<Integer, Duration> delays = new HashMap<>();
        for (int bits = 21; bits <= 43; bits++) {
            delays.put(delays.size(), Duration.ofMillis(1L << bits));
            delays.put(delays.size(), Duration.ofMillis((1L << bits) - 1));
        }
        try (Writer writer = outbox.begin()) {
            for (int partition : delays.keySet()) {
                writer.write(TOPIC, partition, "of " + partition);
            }
            writer.commit();
        }
        Instant before = Instant.now();
        for (int failed = 0; failed < delays.size(); ) {
            try (Client.Batch batch = client.await(100)) {
                for (PersistedMessage each : batch.messages()) {
                    batch.fail(each, requireNonNull(delays.get(each.partition())));
                    failed++;
                }
            }
        }
        Instant after = Instant.now();
        client.expectNothing("every partition waits for half an hour or more");
        outbox.open().expectNothingNow("every partition waits for half an hour or more");
        if (!TestOutbox.has(client, Capability.OPERATIONS)) {
            return;
        }
        List<FailingPartition> listed = client.operations().failingPartitions();
        assertEquals(delays.size(), listed.size(), "failing partitions");
        for (FailingPartition each : listed) {
            Duration delay = requireNonNull(delays.get(each.partition()));
            boolean exact = delay.compareTo(LONGEST_EXACT) < 0;
            Instant next = each.nextAttempt();
            Instant earliest = before.plus(exact ? delay : LONGEST_EXACT).minus(SLACK);
            assertTrue(
                    next.isAfter(earliest)
                            && (!exact || next.isBefore(after.plus(delay).plus(SLACK))),
                    "after a delay of " + delay + ", the next attempt is said to be at " + next
                            + ", and it failed from " + before + " to " + after);
        }
    }

    @Rule("OBX-PAYLOAD-1")
    default void partitionsOfEveryLengthAreDifferent(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Set<Integer> numbers = new TreeSet<>(Set.of(0, 1, Integer.MAX_VALUE, Integer.MAX_VALUE - 1));
        for (int bits : BITS) {
            numbers.addAll(List.of((1 << bits) - 1, 1 << bits, (1 << bits) + 1));
        }
        numbers.addAll(List.of(1 << 24, 1 << 30));
        try (Writer writer = outbox.begin()) {
            for (int number : numbers) {
                writer.write(TOPIC, number, "of " + number);
            }
            writer.commit();
        }
        try (Client.Batch batch = client.await(100)) {
            assertEquals(
                    numbers.stream().map(number -> "of " + number).toList(),
                    batch.messages().stream()
                            .sorted((one, other) -> Integer.compare(one.partition(), other.partition()))
                            .map(TestOutbox::text)
                            .toList(),
                    "messages, by the number of their partition");
            batch.messages().forEach(each -> batch.fail(each, Duration.ofHours(1)));
        }
        if (!TestOutbox.has(client, Capability.OPERATIONS)) {
            return;
        }
        for (int number : numbers) {
            assertTrue(client.operations().retryNow(TOPIC, number), "retryNow of partition " + number);
            assertEquals(List.of("of " + number), client.publishAll(100), "after retryNow of partition " + number);
        }
    }

    @Rule("OBX-PAYLOAD-2")
    default void payloadsOfEveryLengthComeBack(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Map<String, byte[]> written = new HashMap<>();
        Set<Integer> lengths = new TreeSet<>();
        for (int bits : new int[] {7, 8, 12, 14, 15, 16, 17, 18}) {
            lengths.addAll(List.of((1 << bits) - 1, 1 << bits, (1 << bits) + 1));
        }
        lengths.addAll(List.of(4_000, 8_000, 1_000_000));
        try (Writer writer = outbox.begin()) {
            for (int length : lengths) {
                byte[] payload = new byte[length];
                for (int i = 0; i < length; i++) {
                    payload[i] = (byte) (i * 31 + (i >> 8) + length);
                }
                written.put(writer.write(new OutgoingMessage(TOPIC, 0, null, Map.of(), payload)), payload);
            }
            writer.commit();
        }
        while (!written.isEmpty()) {
            try (Client.Batch batch = client.await(100)) {
                for (PersistedMessage each : batch.messages()) {
                    byte[] payload = written.remove(each.id());
                    assertNotNull(payload, "a message came that was not written, or came again: " + each.id());
                    assertTrue(
                            Arrays.equals(payload, each.payload()),
                            "a payload of " + payload.length + " bytes came back as another one of "
                                    + each.payload().length);
                    batch.publish(each);
                }
            }
        }
    }
}
