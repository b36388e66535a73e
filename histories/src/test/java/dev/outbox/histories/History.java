package dev.outbox.histories;

import com.mongodb.MongoException;
import dev.outbox.DeadLetter;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.processes.Await;
import dev.outbox.processes.SharedLog;
import dev.outbox.servers.Clock;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Writers, relays, and two threads that let one thing after the other go wrong: one with the server, one with relays and
 * networks. Behind a while of that comes a calm one, in which everything has to come back, and so on.
 */
final class History implements AutoCloseable {
    /** How long things go wrong, before it is calm. */
    private static final Duration STORM = Duration.ofSeconds(25);

    /** Longer than the patience of the verdict. */
    private static final Duration CALM = Verdict.PATIENCE.plusSeconds(5);

    /** Within a minute or so it is noticed on every server that a client has vanished. */
    private static final Duration NOTICED = Duration.ofSeconds(90);

    /** So long what comes last is waited for. */
    private static final Duration THE_LAST = NOTICED.plus(CALM);

    /** So many workers and so large batches. */
    private static final int[][] RELAYS = {{1, 100}, {4, 100}, {2, 500}};

    private static final int WRITERS = 4;

    private final Backend backend;
    private final SharedLog<Line> log;
    private final long seed;
    private final boolean hurry;
    private final List<RelayProcess> relays = new ArrayList<>();
    private final List<Clock> clocks = new ArrayList<>();
    private final Way writersWay;
    private final List<Writer> writers = new ArrayList<>();
    private final List<Thread> writing = new ArrayList<>();
    private final AtomicInteger committed = new AtomicInteger();
    private final Set<String> done = ConcurrentHashMap.newKeySet();
    private final AtomicInteger faults = new AtomicInteger();
    private final AtomicInteger missed = new AtomicInteger();
    private volatile boolean closed;

    /** Prepares it; {@link #start} begins. */
    History(Backend backend, SharedLog<Line> log, long seed, boolean hurry) throws Exception {
        this.backend = backend;
        this.log = log;
        this.seed = seed;
        this.hurry = hurry;
        this.writersWay = backend.wayOfWriters();
    }

    void start() throws Exception {
        for (int i = 0; i < (hurry ? 2 : RELAYS.length); i++) {
            Clock clock = Clock.real();
            clocks.add(clock);
            relays.add(new RelayProcess(
                    "relay-" + (i + 1),
                    backend.wayOfRelay(),
                    backend.options(),
                    log,
                    RELAYS[i][0],
                    RELAYS[i][1],
                    clock.environment()));
        }
        daemon("follow", this::follow);
        Await.until("relays to start, see " + log.path(), Duration.ofMinutes(3), () -> starts() == relays.size());
        for (int i = 1; i <= WRITERS; i++) {
            Writer writer = new Writer(
                    i,
                    seed,
                    () -> backend.connect(writersWay),
                    log,
                    () -> committed.get() - done.size() > (hurry ? 200 : 1_500),
                    committed,
                    hurry);
            writers.add(writer);
            writing.add(daemon("writer-" + i, writer));
        }
    }

    private long starts() throws IOException {
        return log.since(0).stream().filter(line -> line.kind() == 'S').count();
    }

    private static Thread daemon(String name, Runnable task) {
        Thread thread = new Thread(task, "history-" + name);
        thread.setDaemon(true); // a server that does not answer must not keep us
        thread.start();
        return thread;
    }

    /** Writers are not to run away from the relays. */
    private void follow() {
        int seen = 0;
        while (!closed) {
            try {
                List<Line> news = log.since(seen);
                seen += news.size();
                for (Line line : news) {
                    if (line.kind() == 'L'
                            || line.kind() == 'D'
                                    && Handed.End.valueOf(line.field(3)).isTaken()) {
                        done.add(line.field(2));
                    }
                }
                Await.passed(Duration.ofMillis(50));
            } catch (IOException | InterruptedException e) {
                return;
            }
        }
    }

    /** Lets everything go wrong once, in a hurry. */
    void once() throws Exception {
        Random random = new Random(seed);
        storm(quick(backend.faults(), random), quick(ofRelays(), random), random.nextLong(), Long.MAX_VALUE);
    }

    /** For so long; returns when a calm ends. */
    void last(Duration time) throws Exception {
        long end = System.nanoTime() + time.toNanos();
        Random random = new Random(seed);
        List<Fault> ofServer = new ArrayList<>();
        List<Fault> ofRelays = new ArrayList<>();
        while (System.nanoTime() + STORM.plus(CALM).plus(THE_LAST).toNanos() - end < 0) {
            if (ofServer.size() < 4) {
                ofServer.addAll(quick(backend.faults(), random));
            }
            if (ofRelays.size() < 4) {
                ofRelays.addAll(quick(ofRelays(), random));
            }
            storm(ofServer, ofRelays, random.nextLong(), System.nanoTime() + STORM.toNanos());
            Await.passed(CALM);
        }
        // What is felt for long is an excuse for as long, so it comes last, and all of it together.
        List<Fault> slow = all(true);
        Duration grace =
                slow.stream().map(Fault::grace).max(Duration::compareTo).orElse(Duration.ZERO);
        long began = System.nanoTime();
        storm(slow, new ArrayList<>(), random.nextLong(), Long.MAX_VALUE);
        Await.passed(CALM.plus(grace).minusNanos(System.nanoTime() - began));
    }

    private List<Fault> all(boolean minutesOnly) {
        return Stream.concat(backend.faults().stream(), ofRelays().stream())
                .filter(fault -> fault.minutesOnly() == minutesOnly)
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private static List<Fault> quick(List<Fault> faults, Random random) {
        return shuffled(faults.stream().filter(fault -> !fault.minutesOnly()).toList(), random);
    }

    private static List<Fault> shuffled(List<Fault> faults, Random random) {
        List<Fault> shuffled = new ArrayList<>(faults);
        Collections.shuffle(shuffled, random);
        return shuffled;
    }

    /** Lets things go wrong until there are none left, or until it is late. */
    private void storm(List<Fault> ofServer, List<Fault> ofRelays, long lot, long end) throws Exception {
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        Thread server = daemon("server-faults", () -> strikeAll(ofServer, new Random(lot), end, failures));
        strikeAll(ofRelays, new Random(lot + 1), end, failures);
        server.join();
        if (!failures.isEmpty()) {
            AssertionError failure =
                    new AssertionError("A fault could not be brought about or ended: " + failures.get(0));
            failures.forEach(failure::addSuppressed);
            throw failure;
        }
    }

    private void strikeAll(List<Fault> faults, Random random, long end, List<Throwable> failures) {
        try {
            while (!faults.isEmpty() && (end == Long.MAX_VALUE || System.nanoTime() - end < 0)) {
                Fault fault = faults.remove(0);
                strike(fault, Duration.ofMillis(hurry ? 300 + random.nextInt(700) : 300 + random.nextInt(3_000)));
                Await.passed(Duration.ofMillis(hurry ? 200 : random.nextInt(700)));
            }
        } catch (Exception | AssertionError e) {
            failures.add(e);
        }
    }

    private void strike(Fault fault, Duration time) throws Exception {
        int number = faults.incrementAndGet();
        log.add(Line.now('F', number, fault.scope(), "begin", fault.grace().toSeconds(), fault.name()));
        try {
            fault.strike().last(time);
        } catch (SQLException | JedisException | MongoException e) {
            // One that could not be brought about while the other thread's lasts. What ends one insists, and fails
            // otherwise.
            missed.incrementAndGet();
            System.out.println("history: " + fault.name() + " was not brought about: " + e);
        } finally {
            log.add(Line.now('F', number, fault.scope(), "end", fault.grace().toSeconds(), fault.name()));
        }
    }

    /** What can happen to relays and to networks. */
    private List<Fault> ofRelays() {
        List<Fault> faults = new ArrayList<>();
        for (int i = 0; i < relays.size(); i++) {
            RelayProcess relay = relays.get(i);
            Clock clock = clocks.get(i);
            Way way = relay.way();
            faults.add(Fault.of(relay, "relay killed", time -> relay.kill()));
            faults.add(Fault.of(relay, "relay stands still", Fault.between(relay::pause, relay::resume)));
            faults.add(Fault.of(relay, "relay cut off", time -> way.cut()));
            faults.add(Fault.of(relay, "relay hears nothing", Fault.between(way::stall, way::heal)));
            faults.add(Fault.of(
                    relay,
                    "relay far away",
                    Fault.between(() -> way.delay(Duration.ofMillis(100)), () -> way.delay(Duration.ZERO))));
            faults.add(Fault.of(relay, "connections half open", time -> {
                way.forget();
                way.tellServer();
            }));
            faults.add(Fault.of(relay, "heap full", time -> {
                relay.fill(time);
                Await.passed(time);
            }));
            faults.add(Fault.of(relay, "relay deployed", time -> relay.stopAndStart()));
            Duration step = Duration.ofDays(i % 2 == 0 ? 2 : -2);
            faults.add(Fault.of(
                    relay, "clock moved", Fault.between(() -> clock.set(step), () -> clock.set(Duration.ZERO))));
        }
        faults.add(Fault.ofAll(
                "all relays cut off",
                time -> relays.forEach(relay -> relay.way().cut())));
        faults.add(Fault.ofAll(
                "nobody hears anything",
                () -> relays.forEach(relay -> relay.way().stall()),
                () -> relays.forEach(relay -> relay.way().heal())));
        faults.add(Fault.ofAll("connections forgotten", this::forget)
                .withGrace(NOTICED)
                .forMinutesOnly());
        faults.add(Fault.ofAll("writers cut off", time -> writersWay.cut()));
        return hurry ? everyOther(faults) : faults;
    }

    /** Where the server's system asks whether its clients are still there, it does so here too. */
    private void forget(Duration time) throws InterruptedException {
        relays.forEach(relay -> relay.way().forget());
        if (backend.asksWhetherClientsAreThere()) {
            Await.passed(NOTICED);
            relays.forEach(relay -> relay.way().tellServer());
        }
    }

    /** In a hurry everything happens to one relay or the other. */
    private List<Fault> everyOther(List<Fault> faults) {
        Random random = new Random(seed);
        List<Fault> some = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Fault fault : shuffled(faults, random)) {
            if (names.add(fault.name())) {
                some.add(fault);
            }
        }
        return some;
    }

    /** Ends the writing, waits until the outbox is empty, stops the relays, and judges. */
    Verdict finish() throws Exception {
        writers.forEach(Writer::stop);
        for (Thread thread : writing) {
            thread.join(60_000);
            if (thread.isAlive()) {
                throw new AssertionError(thread.getName() + " does not come back");
            }
        }
        if (missed.get() * 4 > faults.get()) {
            throw new AssertionError("Of " + faults + " faults " + missed + " could not be brought about.");
        }
        Set<String> dead = new HashSet<>();
        try (Store store = backend.administrator()) {
            boolean empty =
                    Await.within(Verdict.PATIENCE.multipliedBy(hurry ? 1 : 5).plusSeconds(5), () -> isEmpty(store));
            log.add(Line.now('Z'));
            if (!empty) {
                System.out.println("history: left is " + Operations.of(store).backlog() + ", failing "
                        + Operations.of(store).failingPartitions());
            }
            for (RelayProcess relay : relays) {
                relay.stop();
            }
            for (Lane lane : Lane.values()) {
                deadOf(store, lane, dead);
            }
        }
        return Verdict.of(log.since(0), backend.committed(), dead);
    }

    private static boolean isEmpty(Store store) {
        try {
            return Operations.of(store).backlog().isEmpty();
        } catch (OutboxException e) {
            return false;
        }
    }

    private static void deadOf(Store store, Lane lane, Set<String> dead) {
        @Nullable String last = null;
        while (true) {
            List<DeadLetter> page = Operations.of(store).deadLetters(lane.topic(), last, 100);
            if (page.isEmpty()) {
                return;
            }
            page.forEach(each -> dead.add(each.message().id()));
            last = page.get(page.size() - 1).message().id();
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        writers.forEach(Writer::stop);
        for (RelayProcess relay : relays) {
            relay.close();
        }
        for (Clock clock : clocks) {
            clock.close();
        }
        writersWay.close();
    }
}
