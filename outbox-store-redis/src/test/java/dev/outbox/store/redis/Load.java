package dev.outbox.store.redis;

import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.tck.internal.history.History;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Writers in this process and relays in others, at work on one outbox while something happens to it. Every transaction adds its
 * own name to a set of the application, and messages; so the sets tell what became of the transactions whose writer could not
 * know, and of those that a server forgot.
 */
final class Load implements AutoCloseable {
    static final String TOPIC = "load";

    private static final int DISCARDS_ONE_IN = 5;
    private static final String ENDED = "a relay ended by itself";

    /** How often writers were told of a failure. */
    final AtomicInteger failures = new AtomicInteger();

    /** By how many messages writers may be ahead of the relays. */
    int mostAhead = 500;

    private final AtomicInteger committed = new AtomicInteger();

    /** What writers were told that cannot be. */
    private final Queue<String> impossible = new ConcurrentLinkedQueue<>();

    private final String url;
    private final RedisOutbox.Named outbox;
    private final StoreOptions options;
    private final int spread;
    private final int partitions;
    private final int payload;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Future<?>> writers = new ArrayList<>();
    private final List<RelayProcess> relays = new CopyOnWriteArrayList<>();
    private final Queue<History.Written> written = new ConcurrentLinkedQueue<>();
    private volatile boolean writing = true;

    /**
     * Prepares an empty outbox.
     *
     * @param lease in ms
     * @param payload how long messages are
     */
    Load(TestAddress address, int spread, int partitions, int lease, int payload) {
        this.url = address.url();
        this.outbox = address.outbox().spread(spread);
        this.options = StoreOptions.defaults()
                .withPrefix(address.prefix())
                .with(RedisOutbox.SPREAD, spread)
                .with(RedisOutbox.LEASE, Duration.ofMillis(lease));
        this.spread = spread;
        this.partitions = partitions;
        this.payload = payload;
    }

    /** The key of the application that is written beside messages of a partition. */
    String shop(int partition) {
        return "{" + outbox.tag(partition) + "}:shop";
    }

    /** Starts a writer, which makes its transactions for a partition by this. */
    void write(int writer, IntFunction<AbstractTransaction> begin) {
        Random random = new Random(writer);
        writers.add(threads.submit(() -> {
            for (int i = 0; writing; i++) {
                while (writing && committed.get() - settled() > mostAhead) {
                    LockSupport.parkNanos(500_000);
                }
                write("w" + writer + "-" + i, random, begin);
            }
        }));
    }

    private void write(String name, Random random, IntFunction<AbstractTransaction> begin) {
        int tag = random.nextInt(spread);
        List<History.Written> messages = new ArrayList<>();
        long ending = 0;
        History.End end = History.End.NOT_DONE;
        try (AbstractTransaction tx = begin.apply(tag)) {
            tx.sadd(shop(tag), name);
            for (int n = 1 + random.nextInt(3); n > 0; n--) {
                int partition = tag + spread * random.nextInt(partitions / spread);
                long began = System.nanoTime();
                String id = outbox.persist(tx)
                        .persist(new OutgoingMessage(TOPIC, partition, null, Map.of(), new byte[payload]));
                messages.add(
                        new History.Written(id, Integer.toString(partition), name, began, 0, 0, History.End.UNKNOWN));
            }
            ending = System.nanoTime();
            if (random.nextInt(DISCARDS_ONE_IN) == 0) {
                tx.discard();
            } else {
                end = History.End.UNKNOWN;
                end = end(RedisOutbox.exec(tx));
            }
        } catch (JedisException | OutboxException e) {
            failures.incrementAndGet();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        committed.addAndGet(end == History.End.OK ? messages.size() : 0);
        long called = ending;
        long ended = System.nanoTime();
        for (History.Written m : messages) {
            written.add(new History.Written(m.id(), m.partition(), name, m.began(), called, ended, end));
        }
        if (random.nextInt(4) == 0) {
            LockSupport.parkNanos(random.nextInt(2_000_000)); // the relays are to keep up
        }
    }

    private History.End end(TransactionResult result) {
        if (result instanceof TransactionResult.Committed) {
            return History.End.OK;
        }
        failures.incrementAndGet();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        if (result instanceof TransactionResult.PartlyWritten partly) {
            impossible.add(partly.why());
        }
        return result instanceof TransactionResult.NothingWritten ? History.End.NOT_DONE : History.End.UNKNOWN;
    }

    /** Starts a relay in a process of its own. */
    RelayProcess relay(int workers, int batchSize, int broker) throws Exception {
        RelayProcess relay = new RelayProcess("relay-" + (relays.size() + 1), url, options, workers, batchSize, broker);
        relays.add(relay);
        return relay;
    }

    List<RelayProcess> relays() {
        return relays;
    }

    int settled() {
        int settled = 0;
        for (RelayProcess relay : relays) {
            settled += relay.settled.size();
        }
        return settled;
    }

    /** Waits until so many more were settled, and so many more written. */
    void awaitProgress(int more) {
        int wanted = settled() + more;
        int wantedWritten = written.size() + more;
        await(() -> settled() >= wanted && written.size() >= wantedWritten, more + " more messages", this::trouble);
    }

    /** Waits until writers have tried so many more. */
    void awaitWritten(int more) {
        int wanted = written.size() + more;
        await(() -> written.size() >= wanted, more + " more messages written", this::trouble);
    }

    void stopWriting() throws Exception {
        writing = false;
        for (Future<?> writer : writers) {
            writer.get(2, TimeUnit.MINUTES);
        }
    }

    /** Waits until the outbox is empty, and stops the relays. */
    void drain() throws Exception {
        try (Store store = Stores.open(url, options)) {
            await(
                    () -> {
                        try {
                            return Operations.of(store).backlog().isEmpty();
                        } catch (OutboxException e) {
                            return false;
                        }
                    },
                    "an empty outbox",
                    this::trouble);
        }
        for (RelayProcess relay : relays) {
            relay.stop();
        }
    }

    /** Ends it all and checks its history. */
    History finish(String what, UnifiedJedis client) throws Exception {
        stopWriting();
        drain();
        History history = history();
        System.out.println("history redis " + what + ": " + history.summary());
        history.check(true);
        compare(there(client));
        return history;
    }

    /** The transactions that took effect. */
    Set<String> there(UnifiedJedis client) {
        Set<String> there = new HashSet<>();
        for (int tag = 0; tag < spread; tag++) {
            there.addAll(client.smembers(shop(tag)));
        }
        return there;
    }

    /** A batch that was not closed well may have lost its hold at any time, and claims none. */
    History history() {
        return new History(
                written,
                delivered().stream()
                        .map(d -> d.closed() == History.End.OK ? d : withoutHold(d))
                        .toList());
    }

    private static History.Delivered withoutHold(History.Delivered d) {
        return new History.Delivered(
                d.id(),
                d.partition(),
                d.batch(),
                d.index(),
                d.settled(),
                d.checkoutCalled(),
                d.checkoutReturned(),
                d.checkoutReturned(),
                d.closeReturned(),
                d.closed());
    }

    List<History.Written> written() {
        return List.copyOf(written);
    }

    List<History.Delivered> delivered() {
        List<History.Delivered> delivered = new ArrayList<>();
        relays.forEach(relay -> delivered.addAll(relay.delivered()));
        return delivered;
    }

    /** The application's data and the messages are there together, or neither. */
    private void compare(Set<String> there) {
        Set<String> settled = new HashSet<>();
        Set<String> came = new HashSet<>();
        for (History.Delivered d : delivered()) {
            came.add(d.id());
            if (d.settled() && d.closed() != History.End.NOT_DONE) {
                settled.add(d.id());
            }
        }
        List<Object> wrong = new ArrayList<>(impossible);
        for (History.Written w : written) {
            boolean isThere = there.contains(w.transaction());
            if (isThere != (w.committed() == History.End.OK) && w.committed() != History.End.UNKNOWN
                    || isThere && !settled.contains(w.id())
                    || !isThere && came.contains(w.id())) {
                wrong.add("data " + (isThere ? "is there" : "is not there") + ", came: " + came.contains(w.id())
                        + ", settled: " + settled.contains(w.id()) + ", " + w);
            }
        }
        if (!wrong.isEmpty()) {
            throw new AssertionError(
                    wrong.size() + " wrong, among them " + wrong.subList(0, Math.min(5, wrong.size())));
        }
    }

    /** What came for the first time came, of every writer and partition, in the order in which it was written. */
    void checkFirstArrivals() {
        Map<String, History.Written> byId = new HashMap<>();
        written.forEach(w -> byId.put(w.id(), w));
        Map<String, History.Delivered> first = new HashMap<>();
        List<History.Delivered> inOrder = new ArrayList<>(delivered());
        inOrder.sort((a, b) -> a.checkoutReturned() != b.checkoutReturned()
                ? Long.compare(a.checkoutReturned(), b.checkoutReturned())
                : Integer.compare(a.index(), b.index()));
        Map<String, History.Written> latest = new HashMap<>();
        for (History.Delivered d : inOrder) {
            History.Written w = byId.get(d.id());
            if (w == null || w.committed() != History.End.OK || first.putIfAbsent(d.id(), d) != null) {
                continue;
            }
            String lane = w.transaction().split("-", 2)[0] + " in " + w.partition();
            History.Written before = latest.put(lane, w);
            if (before != null && before.began() > w.began()) {
                throw new AssertionError(w + " came after " + before);
            }
        }
    }

    private String trouble() {
        for (RelayProcess relay : relays) {
            if (relay.hasEndedByItself()) {
                return ENDED;
            }
        }
        StringBuilder text = new StringBuilder("writers failed " + failures.get() + " times");
        relays.forEach(relay -> {
            String[] errors = relay.errors.toArray(String[]::new);
            text.append("; ").append(Arrays.asList(errors).subList(Math.max(0, errors.length - 3), errors.length));
        });
        return text.toString();
    }

    static void await(BooleanSupplier condition, String what) {
        await(condition, what, () -> "");
    }

    private static void await(BooleanSupplier condition, String what, Supplier<String> trouble) {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0 || trouble.get().startsWith(ENDED)) {
                throw new AssertionError("In vain for up to 3 minutes: " + what + ". " + trouble.get());
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        writing = false;
        relays.forEach(RelayProcess::close);
        threads.shutdownNow();
    }
}
