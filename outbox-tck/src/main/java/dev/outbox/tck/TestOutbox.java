package dev.outbox.tck;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.tck.internal.network.FaultyProxy;
import dev.outbox.tck.internal.process.ChildProcess;
import dev.outbox.tck.internal.record.Inconclusive;
import dev.outbox.tck.internal.record.MissingCapability;
import dev.outbox.tck.internal.record.NotInTime;
import dev.outbox.tck.internal.record.Patience;
import dev.outbox.tck.internal.record.Stalls;
import dev.outbox.tck.internal.record.TestRecord;
import dev.outbox.tck.internal.record.TookLong;
import dev.outbox.tck.internal.report.Drawn;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The outbox of one test: its clients, transactions and processes, which end with it, and what they did. Safe for use
 * by several threads.
 */
final class TestOutbox {
    /** The time limit of a test, in minutes. */
    static final int MINUTES = 2;

    /** How long to watch for what must not happen. */
    static final Duration QUIET = Duration.ofMillis(300);

    static final String TOPIC = "orders";

    private final StoreHarness harness;
    private final String address;
    private final Drawn drawn;
    private final long start = System.nanoTime();
    private final Deque<AutoCloseable> opened = new ConcurrentLinkedDeque<>();
    private final TestRecord record = new TestRecord();
    private final AtomicInteger clients = new AtomicInteger();
    private final AtomicInteger transactions = new AtomicInteger();

    /** Whether the test stops the network or the server. */
    private volatile boolean faulty;

    /** What a test may kill, or null. */
    private final @Nullable KillableServer server;

    private boolean down;

    /** What this outbox alone is on, if the test may let it fail over, or null. */
    private final @Nullable FailoverServer failing;

    /** Transactions that have written messages and are open, with the threads that wrote. */
    private final Map<Writer, Thread> writing = new ConcurrentHashMap<>();

    private volatile Capabilities capabilities = Capabilities.all();

    private TestOutbox(
            StoreHarness harness,
            @Nullable KillableServer server,
            @Nullable FailoverServer failing,
            String address,
            Drawn drawn) {
        this.harness = harness;
        this.server = server;
        this.failing = failing;
        this.address = address;
        this.drawn = drawn;
    }

    static TestOutbox create(StoreHarness harness, Drawn drawn) {
        Stalls.ofThisProcess();
        try {
            return new TestOutbox(harness, null, null, harness.createOutbox(), drawn);
        } catch (Exception e) {
            throw new Inconclusive(harness.getClass().getName() + ".createOutbox() failed", e);
        }
    }

    /** The same on a server that the test may kill. */
    static TestOutbox create(StoreHarness harness, KillableServer server, Drawn drawn) {
        Stalls.ofThisProcess();
        try {
            return new TestOutbox(harness, server, null, server.createOutbox(), drawn);
        } catch (Exception e) {
            throw new Inconclusive(server.getClass().getName() + ".createOutbox() failed", e);
        }
    }

    /** The same on a server of its own that fails over. */
    @SuppressWarnings("try") // closing the server may throw an InterruptedException
    static TestOutbox create(FailoverHarness harness, Drawn drawn) {
        Stalls.ofThisProcess();
        FailoverServer failing;
        try {
            failing = harness.startFailoverServer();
        } catch (Exception e) {
            throw new Inconclusive(harness.getClass().getName() + ".startFailoverServer() failed", e);
        }
        try {
            return new TestOutbox(harness, null, failing, failing.createOutbox(), drawn);
        } catch (Exception e) {
            Inconclusive failure = new Inconclusive(failing.getClass().getName() + ".createOutbox() failed", e);
            try {
                failing.close();
            } catch (Exception left) {
                failure.addSuppressed(left);
            }
            throw failure;
        }
    }

    /** How long to wait for what must happen. Generous, since a store that keeps the contract is quicker anyway. */
    static Duration patience() {
        return Patience.get();
    }

    StoreHarness harness() {
        return harness;
    }

    String address() {
        return address;
    }

    /** When it was made, by {@link System#nanoTime}. */
    long began() {
        return start;
    }

    /** Of everything that is drawn by lot in this run. */
    long seed() {
        return drawn.seed();
    }

    /** What is drawn by lot in this run. */
    Drawn drawn() {
        return drawn;
    }

    /** How long what a dead process held may take to come again, and then some. */
    Duration afterDeath() {
        return QUIET.plus(harness.lease().orElse(Duration.ZERO));
    }

    /** How long what a dead process held may take to come again at most (OBX-FENCE-2). */
    Duration longestAfterDeath() {
        Duration ten = Duration.ofSeconds(10);
        return harness.lease().orElse(Duration.ZERO).plus(ten.compareTo(patience()) < 0 ? ten : patience());
    }

    /**
     * The failure of a call, or that nothing follows from it, because the call took too much of a lease. Where the test
     * itself stops the network or the server, failures are what it looks for, and they may take long.
     */
    RuntimeException orTookLong(String what, long began, RuntimeException failure) {
        TookLong took = !faulty && failure instanceof StoreException
                ? TookLong.of(what, began, harness.lease().orElse(null), failure)
                : null;
        return took == null ? failure : took;
    }

    /** Opens a client of the store. */
    Client open() throws Exception {
        String name = "client " + clients.incrementAndGet();
        Client client = new Client(this, name, openStore());
        opened.push(client::closeAtLast);
        return client;
    }

    /** What the store throws is the store's; all else is the harness's. */
    private Store openStore() {
        try {
            return harness.open(address);
        } catch (OutboxException e) {
            throw e;
        } catch (Exception e) {
            throw new Inconclusive(harness.getClass().getName() + ".open(…) failed", e);
        }
    }

    /** Begins a transaction that writes. */
    Writer begin() throws Exception {
        Writer writer = new Writer(this, "transaction " + transactions.incrementAndGet(), beginTransaction());
        opened.push(writer::closeAtLast);
        return writer;
    }

    private WriteTransaction beginTransaction() {
        try {
            return harness.begin(address);
        } catch (Exception e) {
            throw new Inconclusive(harness.getClass().getName() + ".begin(…) failed", e);
        }
    }

    /** Opens a client of the store on the other side of a proxy. */
    Client open(Network network) throws Exception {
        String name = "remote client " + clients.incrementAndGet();
        Client client = new Client(this, name, network.harness().open(network.address()));
        opened.push(client::closeAtLast);
        return client;
    }

    /** Begins a transaction on the other side of a proxy. */
    Writer begin(Network network) throws Exception {
        WriteTransaction transaction = network.harness().begin(network.address());
        Writer writer = new Writer(this, "remote transaction " + transactions.incrementAndGet(), transaction);
        opened.push(writer::closeAtLast);
        return writer;
    }

    /** What this outbox is on, if the test may kill it. */
    private KillableServer server() {
        KillableServer known = server;
        if (known == null) {
            throw new IllegalStateException("This outbox is on a server that nobody may kill.");
        }
        return known;
    }

    /** Kills the server. */
    synchronized void kill() {
        faulty = true;
        try {
            down = true;
            server().kill();
        } catch (Exception e) {
            throw new Inconclusive("the server could not be killed", e);
        }
        record("the server was killed");
    }

    /** Starts the server again. */
    synchronized void restart() {
        try {
            server().restart();
            down = false;
        } catch (Exception e) {
            throw new Inconclusive("the server could not be started again", e);
        }
        record("the server was started again");
    }

    private synchronized void restartIfDown() {
        if (down) {
            restart();
        }
    }

    /** Kills the server, and starts it again. */
    void crash() {
        kill();
        restart();
    }

    private FailoverServer failing() {
        FailoverServer known = failing;
        if (known == null) {
            throw new IllegalStateException("This outbox is on a server that does not fail over.");
        }
        return known;
    }

    /** Whether the page of the store says that a failover may lose the last writes. */
    boolean mayLoseWrites() {
        return failing().mayLoseWrites();
    }

    /** Keeps further writes from the copy. */
    synchronized void lag() {
        faulty = true;
        try {
            failing().lag();
        } catch (Exception e) {
            throw new Inconclusive("the copy could not be made to lag", e);
        }
        record("the copy began to lag");
    }

    /** Lets the copy take the place of the server. */
    synchronized void failOver() {
        faulty = true;
        try {
            failing().failOver();
        } catch (Exception e) {
            throw new Inconclusive("the server could not be made to fail over", e);
        }
        record("the server failed over");
    }

    /** What the store says that it can do. */
    void knows(Capabilities declared) {
        capabilities = declared;
    }

    /** A transaction has written a message, or is about to. */
    void writes(Writer writer) {
        requireNoOtherWriter(writer);
        writing.put(writer, Thread.currentThread());
    }

    /** A transaction has ended. */
    void ends(Writer writer) {
        writing.remove(writer);
    }

    /**
     * Ends the test if this thread has a transaction open, other than this, for which a store with one writer waits.
     *
     * @param self the transaction that is used, or null
     */
    void requireNoOtherWriter(@Nullable Writer self) {
        boolean other = writing.entrySet().stream()
                .anyMatch(each -> !each.getKey().equals(self) && each.getValue().equals(Thread.currentThread()));
        if (other) {
            requireConcurrentTransactions();
        }
    }

    /** Ends the test if the store has one writer: the rest of the test has more. */
    void requireConcurrentTransactions() {
        if (!capabilities.has(Capability.CONCURRENT_TRANSACTIONS)) {
            saw(1);
            record("the rest of the test is left out, because the store has one writer");
            throw new MissingCapability(Capability.CONCURRENT_TRANSACTIONS);
        }
    }

    /** Closes something when the test ends. */
    <T extends AutoCloseable> T endWith(T closeable) {
        opened.push(closeable);
        return closeable;
    }

    /** Puts a proxy before the backend, to reach this outbox through it; it ends with the test. */
    Network network() throws Exception {
        faulty = true;
        if (!(harness instanceof NetworkHarness remote)) {
            throw new IllegalStateException(harness.getClass().getName() + " is no NetworkHarness");
        }
        FaultyProxy proxy = endWith(new FaultyProxy(remote.endpoint(address)));
        return new Network(remote, proxy, remote.through(address, proxy.address()));
    }

    /** Starts a client in a process of its own. */
    ChildProcess fork() throws Exception {
        ChildProcess child = ChildProcess.start(ChildMain.class, harness.getClass(), address, record);
        opened.push(child);
        return child;
    }

    /** Commits messages with these texts in one transaction; returns their ids. */
    List<String> commit(String topic, int partition, String... texts) throws Exception {
        try (Writer writer = begin()) {
            List<String> ids = new ArrayList<>();
            for (String text : texts) {
                ids.add(writer.write(topic, partition, text));
            }
            writer.commit();
            return ids;
        }
    }

    /** Commits a message just so; returns its id. */
    String commit(OutgoingMessage message) throws Exception {
        try (Writer writer = begin()) {
            String id = writer.write(message);
            writer.commit();
            return id;
        }
    }

    /** Whether a row of the application was committed, as a new transaction sees it. */
    boolean hasRow(String name) throws Exception {
        try (Writer reader = begin()) {
            return reader.seesRow(name);
        }
    }

    static OutgoingMessage message(String topic, int partition, String text) {
        return new OutgoingMessage(topic, partition, null, Map.of(), text.getBytes(StandardCharsets.UTF_8));
    }

    static String text(OutgoingMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    static String text(PersistedMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    static boolean has(Client client, Capability capability) {
        return client.store().capabilities().has(capability);
    }

    /** Publishes and settles everything until these texts have come, each once; returns all in the order they came. */
    List<String> drain(Client client, Set<String> expected, String... topics) {
        List<String> texts = new ArrayList<>();
        Set<String> missing = new HashSet<>(expected);
        long began = System.nanoTime();
        long deadline = System.nanoTime() + patience().toNanos();
        while (!missing.isEmpty()) {
            for (String text : client.publishAll(100, topics)) {
                if (expected.contains(text)) {
                    if (!missing.remove(text)) {
                        throw new AssertionError("'" + text + "' came again after it was settled");
                    }
                    deadline = System.nanoTime() + patience().toNanos(); // for the next
                }
                texts.add(text);
                began = System.nanoTime();
            }
            if (!missing.isEmpty() && System.nanoTime() > deadline) {
                throw new NotInTime("Of " + expected.size() + " messages these did not come within "
                        + patience().toSeconds() + " s: " + missing);
            }
            if (!missing.isEmpty()) {
                pause(began);
            }
        }
        return texts;
    }

    /** Waits until something is there, and returns it. */
    <T> T eventually(String what, Callable<@Nullable T> attempt) throws Exception {
        long began = System.nanoTime();
        long deadline = System.nanoTime() + patience().toNanos();
        while (true) {
            T result = attempt.call();
            if (result != null) {
                return result;
            }
            if (System.nanoTime() > deadline) {
                throw new NotInTime("Not within " + patience().toSeconds() + " s: " + what);
            }
            pause(began);
        }
    }

    /** Runs something that must not wait for anybody, and fails if it does. */
    <T> T promptly(String what, Callable<T> action) throws Exception {
        long seconds = Math.min(10, patience().toSeconds());
        FutureTask<T> task = new FutureTask<>(action);
        Thread thread = new Thread(task, "tck-promptly");
        thread.setDaemon(true);
        thread.start();
        try {
            return task.get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new NotInTime(what + " did not return within " + seconds + " s. It is waiting here:\n    "
                    + String.join(
                            "\n    ",
                            Arrays.stream(thread.getStackTrace())
                                    .map(Object::toString)
                                    .toList()));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw new AssertionError(e.getCause());
        }
    }

    /** Between two looks at a condition. */
    static void pause() {
        LockSupport.parkNanos(2_000_000);
    }

    /** Between two looks at a condition that was first looked at then; the longer ago, the less often. */
    private static void pause(long began) {
        LockSupport.parkNanos(Math.min(50_000_000, 1_000_000 + (System.nanoTime() - began) / 16));
    }

    /** Notes that messages were delivered, or answers given, from which a test can draw a conclusion. */
    void saw(int what) {
        record.saw(what);
    }

    /** The same, of what a history has checked. */
    void saw(int deliveries, String checked) {
        record.saw(deliveries, checked);
    }

    /** Whether a test that passed has seen anything from which that follows. */
    boolean provedAnything() {
        return record.provedAnything();
    }

    /** What was seen, in a line, for a test that passed. */
    String summary() {
        return record.summary() + "; seed " + seed();
    }

    void record(String event) {
        record.add(event);
    }

    /** What a message is called in the history. */
    String name(PersistedMessage message) {
        return record.name(message);
    }

    /** What a message is called in the history. */
    String name(String id, OutgoingMessage message) {
        return record.name(id, message);
    }

    /** What happened so far, the last events of it. */
    List<String> events() {
        return record.events();
    }

    /** The same as a text. */
    String history() {
        return "\n    " + String.join("\n    ", events());
    }

    /** Closes whatever is still open, last opened first, and drops the outbox. */
    void drop() throws Exception {
        Exception failed = null;
        restartIfDown();
        for (AutoCloseable each : opened) {
            try {
                each.close();
            } catch (Exception e) {
                failed = e;
            }
        }
        if (failing != null) {
            failing.close();
        } else if (server != null) {
            server.dropOutbox(address);
        } else {
            harness.dropOutbox(address);
        }
        if (failed != null) {
            throw failed;
        }
    }
}
