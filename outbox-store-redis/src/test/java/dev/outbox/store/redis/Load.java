package dev.outbox.store.redis;

import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Writers and relays that go on whatever happens to the server, and remember what they were told. Every transaction writes a
 * key of the business and a message of the same text.
 */
final class Load implements AutoCloseable {
    static final String TOPIC = "load";

    /** Texts whose transaction was acknowledged. */
    final Set<String> committed = ConcurrentHashMap.newKeySet();

    /** Texts whose transaction may have been carried out: the answer was lost. */
    final Set<String> unknown = ConcurrentHashMap.newKeySet();

    /** Texts that were handed out. */
    final Set<String> seen = ConcurrentHashMap.newKeySet();

    /** The same, in the order in which they were. */
    final Queue<String> delivered = new ConcurrentLinkedQueue<>();

    /** Texts in batches whose close was acknowledged. */
    final Set<String> settled = ConcurrentHashMap.newKeySet();

    /** Texts that were handed out although their close had been acknowledged before. */
    final Set<String> cameAgain = ConcurrentHashMap.newKeySet();

    final AtomicInteger failures = new AtomicInteger();

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Future<?>> writers = new ArrayList<>();
    private final List<Future<?>> relays = new ArrayList<>();
    private volatile boolean writing = true;
    private volatile boolean relaying = true;

    /** @param begin makes a transaction for a partition */
    void write(int writer, RedisOutbox outbox, int partitions, Function<Integer, AbstractTransaction> begin) {
        writers.add(threads.submit(() -> {
            for (int i = 0; writing; i++) {
                int partition = i % partitions;
                String text = "w" + writer + "-" + i;
                try (AbstractTransaction tx = begin.apply(partition)) {
                    tx.set("{" + outbox.tag(partition) + "}:business:" + text, "1");
                    outbox.persist(tx)
                            .persist(new OutgoingMessage(
                                    TOPIC, partition, null, Map.of(), text.getBytes(StandardCharsets.UTF_8)));
                    Executed executed = RedisOutbox.exec(tx);
                    if (executed instanceof Executed.Committed) {
                        committed.add(text);
                    } else if (!(executed instanceof Executed.NothingWritten)) {
                        unknown.add(text);
                    }
                } catch (JedisException | OutboxException e) { // before it was executed
                    failures.incrementAndGet();
                    LockSupport.parkNanos(5_000_000);
                }
            }
        }));
    }

    void relay(Store store) {
        relays.add(threads.submit(() -> {
            while (relaying) {
                try {
                    MessageBatch batch = store.checkout(Set.of(TOPIC), 20);
                    List<String> texts =
                            batch.messages().stream().map(Load::text).toList();
                    texts.stream().filter(settled::contains).forEach(cameAgain::add);
                    delivered.addAll(texts);
                    seen.addAll(texts);
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                    batch.close();
                    settled.addAll(texts);
                    if (texts.isEmpty()) {
                        LockSupport.parkNanos(1_000_000);
                    }
                } catch (OutboxException e) {
                    failures.incrementAndGet();
                    LockSupport.parkNanos(5_000_000);
                }
            }
        }));
    }

    static String text(PersistedMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    /** Waits until so many more were settled. */
    void awaitSettled(int more) {
        int wanted = settled.size() + more;
        await(() -> settled.size() >= wanted, wanted + " settled messages");
    }

    /** Ends the writing, and waits until all is settled; what was acknowledged and never came, those left out excepted, is lost. */
    void finish(Store store, Set<String> except) throws Exception {
        writing = false;
        for (Future<?> writer : writers) {
            writer.get(60, TimeUnit.SECONDS);
        }
        await(() -> Operations.of(store).backlog().isEmpty(), "an empty backlog");
        Set<String> lost = new HashSet<>(committed);
        lost.removeAll(seen);
        lost.removeAll(except);
        if (!lost.isEmpty()) {
            throw new AssertionError("Acknowledged and lost: " + lost);
        }
    }

    static void await(BooleanSupplier condition, String what) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("Not within 60 s: " + what);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        writing = false;
        relaying = false;
        await(() -> relays.stream().allMatch(Future::isDone), "relays ended");
        threads.shutdownNow();
        relays.forEach(relay -> {
            try {
                relay.get();
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError("A relay of the load failed", e);
            }
        });
    }
}
