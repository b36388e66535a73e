package dev.outbox.relay;

import static dev.outbox.relay.Fixture.await;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutboxListener;
import dev.outbox.OutgoingMessage;
import dev.outbox.PermanentFailureException;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.Topic;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What makes closes fail must not make a relay publish again and again, nor keep what is healthy from being settled. */
class RelayUnsettledTest {
    private static final int FAST = 600;

    private final Fixture fixture = new Fixture();
    private final Map<String, AtomicInteger> publishes = new ConcurrentHashMap<>();

    private Topic.Builder<String> topicOf(int partitions) {
        return topic("t").partitions(partitions).publisher(d -> {
            publishes.computeIfAbsent(d.id(), id -> new AtomicInteger()).incrementAndGet();
            return Receipt.taken();
        });
    }

    private int mostPublishes() {
        return publishes.values().stream().mapToInt(AtomicInteger::get).max().orElse(0);
    }

    private long pending() {
        return fixture.operations().backlog().stream()
                .mapToLong(Operations.Backlog::pending)
                .sum();
    }

    /** A store whose closes a test lets fail. */
    private abstract static class Refusing extends WrappedStore {
        Refusing(Store real) {
            super(real);
        }

        /** May throw, before or after the real close. */
        abstract void close(Marks marks);

        void beforeCheckout() {}

        @Override
        public MessageBatch checkout(Set<String> topics, int limit) {
            beforeCheckout();
            return new Marks(super.checkout(topics, limit));
        }

        final class Marks extends Batch {
            final MessageBatch inner;
            final long opened = System.nanoTime();
            final List<Runnable> marks = new ArrayList<>();
            final Set<String> marked = new HashSet<>();
            final Set<String> dead = new HashSet<>();
            private boolean closed;

            Marks(MessageBatch real) {
                super(real);
                this.inner = real;
            }

            @Override
            public void markPublished(PersistedMessage message, @Nullable String publishId) {
                marks.add(() -> inner.markPublished(message, publishId));
                marked.add(message.id());
            }

            @Override
            public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
                marks.add(() -> inner.markFailed(message, reason, retryAfter));
                marked.add(message.id());
            }

            @Override
            public void deadLetter(PersistedMessage message, String reason) {
                marks.add(() -> inner.deadLetter(message, reason));
                marked.add(message.id());
                dead.add(message.id());
            }

            void settle() {
                marks.forEach(Runnable::run);
                inner.close();
            }

            /** What a failed close leaves behind: nothing took effect, and the messages are free. */
            void giveBack() {
                inner.close();
            }

            @Override
            public void close() {
                if (!closed) {
                    closed = true;
                    Refusing.this.close(this);
                }
            }
        }
    }

    @Test
    void nothingIsPublishedTwiceWhileNoCloseSucceeds() {
        for (boolean lost : new boolean[] {false, true}) {
            publishes.clear();
            Topic<String> topic = topicOf(8).build();
            for (int i = 0; i < 300; i++) {
                fixture.commit(topic, i + ":x");
            }
            AtomicInteger closes = new AtomicInteger();
            boolean[] down = {true};
            Refusing store = new Refusing(fixture.store) {
                @Override
                void close(Marks marks) {
                    if (down[0] && !marks.messages().isEmpty()) {
                        closes.incrementAndGet();
                        marks.giveBack();
                        throw lost
                                ? new HoldLostException("of the test")
                                : new StoreException("read-only, of the test");
                    }
                    marks.settle();
                }
            };
            long began = System.nanoTime();
            try (Relay relay =
                    fast(Relay.builder(store).topic(topic).workers(4), FAST).build()) {
                relay.start();
                await("closes fail for long", () -> closes.get() >= 60);
                assertTrue(mostPublishes() <= 1 + hoursSince(began, FAST), "published twice within an hour");
                assertTrue(relay.state().closesFailSince() != null);
                down[0] = false;
                await("settled", () -> pending() == 0);
                assertTrue(mostPublishes() <= 1 + hoursSince(began, FAST), "published twice within an hour");
                assertEquals(300, publishes.size());
                await("forgotten", () -> relay.state().unsettled() == 0);
            }
        }
    }

    /** The store has freed the messages of a close that failed, and its answer does not come. */
    @Test
    void whatIsFreeBeforeItsCloseHasFailedIsNotPublishedAgain() throws Exception {
        Topic<String> topic = topicOf(1).build();
        fixture.commit(topic, "k:1", "k:2");
        CountDownLatch freed = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        AtomicInteger closes = new AtomicInteger();
        Refusing store = new Refusing(fixture.store) {
            @Override
            void close(Marks marks) {
                if (closes.incrementAndGet() > 1) {
                    marks.settle();
                    return;
                }
                marks.giveBack();
                freed.countDown();
                try {
                    answer.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                throw new HoldLostException("of the test");
            }
        };
        try (Relay relay = Relay.builder(store).topic(topic).build()) {
            Thread first = new Thread(() -> relay.processMessages(10));
            first.start();
            freed.await();
            assertEquals(2, relay.processMessages(10).published(), "messages that are settled");
            assertEquals(0, pending());
            answer.countDown();
            first.join();
            assertEquals(2, publishes.size());
            assertEquals(1, mostPublishes());
            assertEquals(0, relay.state().unsettled());
        }
    }

    @Test
    void whatCannotBeBuriedDoesNotDragOthersAlong() {
        Topic<String> topic = topic("t")
                .partitions(4)
                .retry(Fixture.AT_ONCE.withMaxAttempts(2))
                .publisher(d -> {
                    publishes.computeIfAbsent(d.id(), id -> new AtomicInteger()).incrementAndGet();
                    if (d.message().startsWith("poison")) {
                        throw new IllegalStateException("poison");
                    }
                    return Receipt.taken();
                })
                .build();
        List<String> poison = fixture.commit(topic, "poison:1");
        for (int i = 0; i < 400; i++) {
            fixture.commit(topic, i + ":x");
        }
        long stuck = fixture.operations().backlog().stream()
                .filter(b -> b.partition() == Fixture.partitionOf(topic, "poison:1"))
                .mapToLong(Operations.Backlog::pending)
                .sum();
        boolean[] burial = {false};
        Refusing store = new Refusing(fixture.store) {
            @Override
            void close(Marks marks) {
                if (!burial[0] && marks.dead.contains(poison.get(0))) {
                    marks.giveBack();
                    throw new StoreException("duplicate key, of the test");
                }
                marks.settle();
            }
        };
        List<OutboxListener.SetAside> told = new ArrayList<>();
        OutboxListener listener = new OutboxListener() {
            @Override
            public synchronized void setAside(SetAside event) {
                told.add(event);
            }
        };
        try (Relay relay = fast(Relay.builder(store).topic(topic).workers(3).listener(listener), 10)
                .build()) {
            relay.start();
            await("the others are settled", () -> pending() == stuck);
            await("set aside", () -> relay.state().setAside().size() == 1);
            assertEquals(
                    Fixture.partitionOf(topic, "poison:1"),
                    relay.state().setAside().get(0).partition());
            fixture.commit(topic, "0:late", "1:late", "2:late", "3:late", "4:late", "5:late");
            await("told", () -> told.size() == 1);
            burial[0] = true;
            await("all settled", () -> pending() == 0);
            AtomicInteger tries = publishes.remove(poison.get(0));
            assertEquals(2, tries == null ? 0 : tries.get(), "attempts");
            assertEquals(1, mostPublishes());
            await("nothing set aside", () -> relay.state().setAside().isEmpty());
        }
        assertEquals(1, told.size());
    }

    /** More than other lines have in a minute, because each partition has pauses of its own. */
    @Test
    void eachPartitionThatIsSetAsideHasALine() {
        Topic<String> topic = topic("t")
                .partitions(16)
                .retry(Fixture.AT_ONCE.withMaxAttempts(1))
                .publisher(d -> {
                    if (d.message().startsWith("poison")) {
                        throw new IllegalStateException("poison");
                    }
                    return Receipt.taken();
                })
                .build();
        Refusing store = new Refusing(fixture.store) {
            @Override
            void close(Marks marks) {
                if (!marks.dead.isEmpty()) {
                    marks.giveBack();
                    throw new StoreException("duplicate key, of the test");
                }
                marks.settle();
            }
        };
        String healthy = "healthy";
        Set<Integer> told = ConcurrentHashMap.newKeySet();
        told.add(Fixture.partitionOf(topic, healthy + ":x"));
        OutboxListener listener = new OutboxListener() {
            @Override
            public void setAside(SetAside event) {
                told.add(event.partition());
            }
        };
        PrintStream before = System.err;
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
        try (Relay relay = fast(Relay.builder(store).topic(topic).workers(3).listener(listener), 10)
                .build()) {
            relay.start();
            for (int i = 0; told.size() < 13; i++) {
                String message = "poison" + i + ":1";
                int partition = Fixture.partitionOf(topic, message);
                if (!told.contains(partition)) {
                    fixture.commit(topic, message);
                    await("it is set aside, while others are settled", () -> {
                        fixture.commit(topic, healthy + ":x");
                        return told.contains(partition);
                    });
                }
            }
        } finally {
            System.setErr(before);
        }
        String said = written.toString(StandardCharsets.UTF_8);
        told.remove(Fixture.partitionOf(topic, healthy + ":x"));
        for (int partition : told) {
            assertTrue(said.contains("[OUTBOX-105] What became of a message of t/" + partition + " "), said);
        }
    }

    /** Store and broker are away together, as when a network fails: what is remembered finds a topic that is left out. */
    @Test
    void whatIsRememberedIsNotPublishedToSeeWhetherTheBrokerIsBack() {
        boolean[] down = {true};
        Topic<String> topic = topic("t")
                .partitions(1)
                .publisher(d -> {
                    publishes
                            .computeIfAbsent(d.message(), m -> new AtomicInteger())
                            .incrementAndGet();
                    if (down[0] && d.message().equals("k:2")) {
                        throw new BrokerUnavailableException("away");
                    }
                    return Receipt.taken();
                })
                .build();
        fixture.commit(topic, "k:1", "k:2", "k:3");
        Refusing store = new Refusing(fixture.store) {
            @Override
            void close(Marks marks) {
                if (down[0]) {
                    marks.giveBack();
                    throw new StoreException("away, of the test");
                }
                marks.settle();
            }
        };
        try (Relay relay = fast(Relay.builder(store).topic(topic), 50).build()) {
            relay.processMessages(10);
            assertEquals(1, relay.state().unsettled());
            assertEquals(1, relay.state().leftOut().size());
            down[0] = false;
            await("all is settled", () -> {
                relay.processMessages(10);
                return pending() == 0;
            });
        }
        Map<String, Integer> times = new TreeMap<>();
        publishes.forEach((message, count) -> times.put(message, count.get()));
        assertEquals(Map.of("k:1", 1, "k:2", 2, "k:3", 1), times, "publishes, once of what was remembered");
    }

    /** A close whose answer is lost: the messages never come again, and nobody may wait for them. */
    @Test
    void lostAnswersDoNotKeepWhatFollowsWaiting() {
        Topic<String> topic = topicOf(4).build();
        AtomicInteger closes = new AtomicInteger();
        Refusing store = new Refusing(fixture.store) {
            @Override
            void close(Marks marks) {
                marks.settle();
                if (!marks.messages().isEmpty() && closes.incrementAndGet() % 3 != 0) {
                    throw new StoreException("answer lost, of the test");
                }
            }
        };
        for (int i = 0; i < 200; i++) {
            fixture.commit(topic, i + ":x");
        }
        try (Relay relay =
                fast(Relay.builder(store).topic(topic).workers(2), FAST).build()) {
            relay.start();
            await("all settled", () -> pending() == 0);
        }
        assertEquals(1, mostPublishes());
        assertEquals(200, publishes.size());
    }

    /** An id may be there twice (OBX-ID-2): what became of one message says nothing of the other. */
    @Test
    void anotherMessageOfTheSameIdIsPublished() throws Exception {
        Topic<String> topic = topicOf(1).build();
        AtomicInteger closes = new AtomicInteger();
        Refusing store = new Refusing(fixture.store) {
            @Override
            void close(Marks marks) {
                marks.settle();
                if (closes.incrementAndGet() == 1) {
                    throw new StoreException("answer lost, of the test");
                }
            }
        };
        String id = fixture.commit(topic, "1:first").get(0);
        try (Relay relay = fast(Relay.builder(store).topic(topic), FAST).build()) {
            relay.processMessages(10);
            assertEquals(1, mostPublishes());
            long then = System.currentTimeMillis();
            await("another time of persisting", () -> System.currentTimeMillis() > then);
            MemoryTransaction tx = fixture.outbox.begin();
            MemoryOutbox.persist(tx)
                    .persist(new OutgoingMessage(
                            id, topic.name(), 0, "1", Map.of(), "1:second".getBytes(StandardCharsets.UTF_8)));
            tx.commit();
            relay.processMessages(10);
        }
        assertEquals(2, mostPublishes(), "each of the two once");
        assertEquals(0, pending());
    }

    /** Its first try was its last, so nothing but the operator tells it from the message that died. */
    @Test
    void aRedrivenDeadLetterIsPublishedAlthoughTheAnswerOfItsCloseIsLateOrLost() {
        for (boolean late : new boolean[] {false, true}) {
            publishes.clear();
            Topic<String> topic = topic("t")
                    .publisher(d -> {
                        if (publishes
                                        .computeIfAbsent(d.id(), id -> new AtomicInteger())
                                        .incrementAndGet()
                                == 1) {
                            throw new PermanentFailureException("of the test");
                        }
                        return Receipt.taken();
                    })
                    .build();
            String id = fixture.commit(topic, "k:1").get(0);
            Runnable[] meanwhile = new Runnable[1];
            AtomicInteger closes = new AtomicInteger();
            Refusing store = new Refusing(fixture.store) {
                @Override
                void close(Marks marks) {
                    marks.settle();
                    if (closes.incrementAndGet() == 1) {
                        meanwhile[0].run();
                        throw new StoreException("answer lost, of the test");
                    }
                }
            };
            try (Relay relay = Relay.builder(store).topic(topic).build()) {
                Runnable redriven = () -> {
                    assertEquals(1, fixture.operations().redrive(List.of(id)));
                    assertEquals(1, relay.processMessages(10).published());
                };
                meanwhile[0] = late ? redriven : () -> {};
                relay.processMessages(10);
                if (!late) {
                    redriven.run();
                }
                assertEquals(2, mostPublishes());
                assertEquals(0, pending());
                assertEquals(0, relay.state().unsettled());
            }
            assertEquals(0, fixture.operations().redrive(List.of(id)), "dead letters");
        }
    }

    /** Batches that die at their heads are read for one message each. */
    @Test
    void poisonDoesNotCostTheSquare() {
        Topic<String> topic = topic("t")
                .retry(RetryPolicy.defaults().withMaxAttempts(1))
                .publisher(d -> {
                    throw new IllegalStateException("poison");
                })
                .build();
        for (int i = 0; i < 1000; i++) {
            fixture.commit(topic, "k:" + i);
        }
        AtomicInteger read = new AtomicInteger();
        AtomicInteger batches = new AtomicInteger();
        OutboxListener counting = new OutboxListener() {
            @Override
            public void checkedOut(CheckedOut event) {
                read.addAndGet(event.messages());
                batches.addAndGet(event.messages() > 0 ? 1 : 0);
            }
        };
        try (Relay relay =
                Relay.builder(fixture.store).topic(topic).listener(counting).build()) {
            relay.start();
            await("all dead", () -> pending() == 0);
        }
        assertTrue(read.get() < 2_300, "messages read: " + read);
        assertTrue(batches.get() <= 1_000, "batches: " + batches);
    }

    /** Batches whose time is over end; what is behind them in a batch is not starved. */
    @Test
    void aBatchEndsWhenItsTimeIsOver() {
        AtomicInteger calls = new AtomicInteger();
        AtomicInteger callsUntilAll = new AtomicInteger();
        Topic<String> topic = topic("t")
                .partitions(20)
                .publisher(d -> {
                    publishes
                            .computeIfAbsent(d.key() + "", id -> new AtomicInteger())
                            .incrementAndGet();
                    calls.incrementAndGet();
                    if (publishes.size() == 40) {
                        callsUntilAll.compareAndSet(0, calls.get());
                    }
                    LockSupport.parkNanos(5_000_000);
                    return Receipt.taken();
                })
                .build();
        for (int i = 0; i < 400; i++) {
            fixture.commit(topic, i % 40 + ":x");
        }
        ConcurrentLinkedQueue<Integer> settled = new ConcurrentLinkedQueue<>();
        OutboxListener listener = new OutboxListener() {
            @Override
            public void settled(Settled event) {
                settled.add(event.published());
            }
        };
        try (Relay relay = Relay.builder(fixture.store)
                .topic(topic)
                .publishers(1)
                .maxBatchTime(Duration.ofMillis(50))
                .listener(listener)
                .build()) {
            relay.start();
            await("every key is served", () -> callsUntilAll.get() > 0);
            assertTrue(callsUntilAll.get() < 400, "served in turn");
        }
        assertTrue(settled.stream().allMatch(n -> n <= 15), settled.toString());
    }

    /** Whole hours by the clock of a relay: for so long it remembers what it could not settle. */
    private static long hoursSince(long began, int speed) {
        return TimeUnit.NANOSECONDS.toHours((System.nanoTime() - began) * speed);
    }

    private static Relay.Builder fast(Relay.Builder builder, int speed) {
        return builder.speed(speed);
    }

    /**
     * Whatever makes closes fail, alone or together: a message is handed to a publisher a few times at most in an hour of the
     * relay's clock, and when the causes are over, everything is settled.
     */
    @Test
    void whateverMakesClosesFailNothingIsPublishedWithoutEnd() {
        long seed = Long.getLong("outbox.relay.seed", System.nanoTime());
        int cases = Integer.getInteger("outbox.relay.cases", 12);
        for (int i = 0; i < cases; i++) {
            new Chaos(seed + i).run();
        }
    }

    private static final class Chaos {
        private final Fixture fixture = new Fixture();
        private final long seed;
        private final Random random;
        private final Map<String, Integer> publishes = new HashMap<>();
        private final List<String> causes = new ArrayList<>();
        private volatile boolean over;

        Chaos(long seed) {
            this.seed = seed;
            this.random = new Random(seed);
        }

        private boolean draw(String cause, int oneIn) {
            boolean is = random.nextInt(oneIn) == 0;
            if (is) {
                causes.add(cause);
            }
            return is;
        }

        void run() {
            boolean always = draw("every close fails", 3);
            boolean lost = draw("holds are lost", 2);
            boolean after = draw("answers are lost", 3);
            boolean poison = draw("some messages make it fail", 2);
            boolean old = draw("old batches fail", 2);
            boolean large = draw("large batches fail", 2);
            boolean checkouts = draw("checkouts fail", 3);
            boolean broker = draw("publishers fail", 3);
            boolean slow = draw("publishers are slow", 3);
            int workers = 1 + random.nextInt(4);
            int partitions = 1 + random.nextInt(12);
            int most = 1 + random.nextInt(10);
            long oldest = 1_000_000L * (1 + random.nextInt(20));
            Random dice = new Random(seed);
            Topic<String> topic = topic("t")
                    .partitions(partitions)
                    .retry(Fixture.AT_ONCE.withUnlimitedAttempts())
                    .publisher(d -> {
                        synchronized (publishes) {
                            // Attempts that were counted are the retry policy's and not repetitions.
                            publishes.merge(d.id() + "/" + d.attempt(), 1, Integer::sum);
                        }
                        if (slow) {
                            LockSupport.parkNanos(1_000_000);
                        }
                        if (broker && !over && one(dice, 10)) {
                            throw new IllegalStateException("broker");
                        }
                        return Receipt.taken();
                    })
                    .build();
            for (int i = 0; i < 150; i++) {
                fixture.commit(topic, i + ":x");
            }
            Refusing store = new Refusing(fixture.store) {
                @Override
                void beforeCheckout() {
                    if (checkouts && !over && one(dice, 4)) {
                        throw new StoreException("checkout, of the test");
                    }
                }

                @Override
                void close(Marks marks) {
                    boolean fails = !over
                            && !marks.marked.isEmpty()
                            && (always
                                    || (poison && marks.marked.stream().anyMatch(id -> id.hashCode() % 17 == 0))
                                    || (old && System.nanoTime() - marks.opened > oldest)
                                    || (large && marks.marked.size() > most));
                    boolean effect = fails && after && one(dice, 2);
                    if (fails && !effect) {
                        marks.giveBack();
                    } else {
                        marks.settle();
                    }
                    if (fails) {
                        throw lost ? new HoldLostException("of the test") : new StoreException("close, of the test");
                    }
                }
            };
            String what = "seed " + seed + ", " + workers + " workers, " + partitions + " partitions: " + causes;
            int speed = 3_000;
            long began = System.nanoTime();
            try (Relay relay = fast(Relay.builder(store).topic(topic).workers(workers), speed)
                    .build()) {
                relay.start();
                LockSupport.parkNanos(1_200_000_000); // an hour by the relay's clock
                over = true;
                await(
                        "all is settled; " + what,
                        () -> fixture.operations().backlog().isEmpty());
                synchronized (publishes) {
                    int worst =
                            publishes.values().stream().mapToInt(n -> n).max().orElse(0);
                    long allowed = 2 + hoursSince(began, speed);
                    assertTrue(worst <= allowed, worst + " times published, of " + allowed + "; " + what);
                }
            }
        }

        private static boolean one(Random dice, int in) {
            synchronized (dice) {
                return dice.nextInt(in) == 0;
            }
        }
    }
}
