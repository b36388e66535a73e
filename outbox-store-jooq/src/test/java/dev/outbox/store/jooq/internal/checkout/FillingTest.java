package dev.outbox.store.jooq.internal.checkout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.PersistedMessage;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.Partition;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A batch is filled in few steps, whatever the numbers; on partitions that are only counted. */
@Timeout(300)
public final class FillingTest {
    public static final List<Integer> LIMITS =
            List.of(1, 2, 3, 7, 10, 30, 50, 64, 99, 100, 101, 128, 200, 250, 256, 500, 1000, 2000);

    /** Every one up to 300, and some of each size beyond. */
    public static IntStream counts() {
        return IntStream.concat(
                IntStream.rangeClosed(1, 300),
                IntStream.of(
                        333, 401, 441, 499, 500, 501, 600, 730, 784, 785, 841, 1000, 1025, 1050, 1089, 1157, 1226, 1682,
                        2000, 2305, 3722, 5000, 9217, 9500, 9801, 9999, 10_000));
    }

    @Test
    void oneMessageInEachPartition() throws Exception {
        sweep(n -> 1, n -> false);
    }

    @Test
    void someHaveMore() throws Exception {
        sweep(n -> n % 33 == 0 ? 2 : 1, n -> false);
        sweep(n -> 1 + n % 7, n -> false);
        sweep(n -> n == 0 ? 1_000_000 : 1, n -> false);
        sweep(n -> 1 << n % 12, n -> false);
    }

    @Test
    void othersHoldSome() throws Exception {
        sweep(n -> 1, n -> n % 3 == 0);
        sweep(n -> 1 + n % 5, n -> n % 10 != 9);
        sweep(n -> 1, n -> n != 9_998);
    }

    /** They were found a moment ago, and are empty now. */
    @Test
    void someAreEmpty() throws Exception {
        sweep(n -> n % 3, n -> false);
        sweep(n -> n % 100 == 99 ? 5 : 0, n -> n % 2 == 0);
    }

    private static void sweep(IntUnaryOperator messages, IntPredicate isHeld) throws Exception {
        // Past empty ones it goes one by one, which takes the model its time.
        int most = messages.applyAsInt(0) == 0 ? 1_100 : Integer.MAX_VALUE;
        for (int n : counts().filter(count -> count <= most).toArray()) {
            for (int limit : LIMITS) {
                for (boolean alone : new boolean[] {true, false}) {
                    assertFills(n, limit, alone, messages, isHeld);
                }
            }
        }
    }

    private static void assertFills(int n, int limit, boolean alone, IntUnaryOperator messages, IntPredicate isHeld)
            throws Exception {
        Model model = new Model(alone, messages, isHeld);
        List<Partition> inTurn = IntStream.range(0, n)
                .mapToObj(i -> new Partition(i + 1, "orders", i))
                .toList();
        int first = alone && n <= limit ? n : Math.min(limit, (int) Math.ceil(Math.sqrt(n)));
        List<HeldPartition> held = new ArrayList<>();
        new Filling(model, held, inTurn, limit).run(first, true);
        Supplier<String> what = () -> n + " partitions, limit " + limit + (alone ? ", alone" : ", in company");
        long there = IntStream.range(0, n)
                .filter(i -> !isHeld.test(i))
                .mapToLong(messages::applyAsInt)
                .sum();
        int got = limit - Filling.room(held, limit);
        assertTrue(
                got == Math.min(there, limit) || held.size() == TopicSet.MOST_PARTITIONS,
                () -> what.get() + ": " + got);
        assertEquals(
                held.size(),
                held.stream().map(h -> h.partition).distinct().count(),
                () -> what.get() + ": partitions held twice");
        int steps = 2 * log2(n) + 2 * log2(limit) + 6;
        // Every take may meet nothing but empty ones, which the next look for partitions leaves out.
        assertTrue(
                messages.applyAsInt(0) == 0 || model.steps <= steps, () -> what.get() + ": " + model.steps + " steps");
    }

    public static int log2(int n) {
        return 32 - Integer.numberOfLeadingZeros(n);
    }

    /** What would be in the tables. */
    private static final class Model implements Filling.Access {
        private final IntUnaryOperator messages;
        private final IntPredicate isHeld;
        private final Set<Partition> taken = new HashSet<>();
        private boolean alone;
        private int steps;

        Model(boolean alone, IntUnaryOperator messages, IntPredicate isHeld) {
            this.alone = alone;
            this.messages = messages;
            this.isHeld = isHeld;
        }

        @Override
        public boolean isBestReadAtOnce(int tried) {
            return alone;
        }

        @Override
        public List<HeldPartition> take(List<Partition> tried, int most) {
            steps++;
            List<HeldPartition> held = new ArrayList<>();
            for (Partition candidate : tried) {
                if (held.size() < most && !isHeld.test(candidate.number())) {
                    assertTrue(taken.add(candidate), () -> "taken again: " + candidate);
                    held.add(new HeldPartition(candidate, 0, 0, Long.MAX_VALUE));
                }
            }
            return held;
        }

        @Override
        public List<HeldPartition> takeAndRead(List<Partition> tried, int limit) {
            List<HeldPartition> held = take(tried, tried.size());
            share(held, limit);
            return held;
        }

        @Override
        public void read(List<HeldPartition> partitions, int limit) {
            steps++;
            share(partitions, limit);
        }

        private void share(List<HeldPartition> partitions, int limit) {
            for (int i = 0; i < partitions.size(); i++) {
                HeldPartition held = partitions.get(i);
                int share = limit / partitions.size() + (i < limit % partitions.size() ? 1 : 0);
                assertTrue(share > 0, "a share of nothing");
                held.startReading(share, partitions.size() == 1);
                int there = messages.applyAsInt(held.partition.number());
                for (int id = 1; id <= Math.min(there, held.rows); id++) {
                    if (held.isFull()) {
                        held.hasMore = true;
                    } else {
                        held.add(id, MESSAGE, 0);
                    }
                }
            }
        }

        @Override
        public void noteContention() {
            alone = false;
        }
    }

    private static final PersistedMessage MESSAGE =
            new PersistedMessage("1", "orders", 0, null, Map.of(), new byte[0], 0, Instant.EPOCH);
}
