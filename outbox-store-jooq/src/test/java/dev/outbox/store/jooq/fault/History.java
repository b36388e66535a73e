package dev.outbox.store.jooq.fault;

import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.processes.Await;
import dev.outbox.processes.SharedLog;
import dev.outbox.servers.Clock;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;

/** Writers and relays at work on one outbox, and the faults that hit them. Used by one thread, the test's. */
final class History implements AutoCloseable {
    private final Database database;
    private final String fault;
    private final String url;
    private final Settings settings;
    private final SharedLog<Line> log;
    private final List<RelayProcess> relays = new ArrayList<>();
    private final List<Writer> writers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Queue<Exception> failures = new ConcurrentLinkedQueue<>();
    private Map<String, String> environment = Map.of();

    /**
     * Prepares an empty database.
     *
     * @param fault how the summary calls what is to happen
     * @param url an empty database
     */
    History(Database database, String fault, String url, Settings settings) throws Exception {
        this.database = database;
        this.fault = fault;
        this.url = url;
        this.settings = settings;
        this.log = SharedLog.empty(
                Path.of("target", "histories", database.label() + "-" + fault.replace(' ', '-') + ".log"), Line::parse);
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "CREATE TABLE shop (writer integer NOT NULL, tx integer NOT NULL, PRIMARY KEY (writer, tx))");
        }
    }

    /** The relays are to have this clock; to be called before they start. */
    void relaysGoBy(Clock clock) {
        environment = clock.environment();
    }

    /** Starts all, and waits until messages come. Each relay has a URL of its own, because faults may hit one alone. */
    void start(String writersUrl, String... relayUrls) throws Exception {
        for (int i = 0; i < settings.relays(); i++) {
            String relayUrl = relayUrls[Math.min(i, relayUrls.length - 1)];
            relays.add(new RelayProcess(settings.relayNames().get(i), relayUrl, log, settings, environment));
        }
        for (RelayProcess relay : relays) {
            awaitLines(relay.name() + " to open its store", 0, line -> line.is('S', relay.name()), 1);
        }
        for (int i = 1; i <= settings.writers(); i++) {
            Writer writer = new Writer(i, writersUrl, settings, log, failures);
            writers.add(writer);
            Thread thread = new Thread(writer, "fault-writer-" + i);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
        for (RelayProcess relay : relays) {
            awaitLines("messages from " + relay.name(), 0, line -> line.is('D', relay.name()), 1);
        }
    }

    RelayProcess relay(int number) {
        return relays.get(number - 1);
    }

    /** Says what is about to happen, once for each thing that may hit every open batch. */
    void fault(String what) {
        log.add(Line.of('F', what));
    }

    /** Says that the process of the database is about to be killed. */
    void databaseFault(String what) {
        fault(what);
        if (!database.isAtomicWhenKilled()) {
            log.add(Line.of('K', what));
        }
    }

    /** How many lines there are, to look at those behind. */
    int now() throws Exception {
        return log.size();
    }

    /** Waits for so many more deliveries. */
    void awaitDelivered(int more) throws Exception {
        awaitLines(more + " more messages", now(), line -> line.kind() == 'D', more);
    }

    /** Waits until so many lines behind the first ones are as wanted; returns the first of them. */
    Line awaitLines(String what, int behind, Predicate<Line> wanted, int count) throws Exception {
        Await.until(what + ", see " + log.path(), () -> find(behind, wanted).size() >= count);
        return find(behind, wanted).get(0);
    }

    List<Line> find(int behind, Predicate<Line> wanted) throws Exception {
        return log.since(behind).stream().filter(wanted).toList();
    }

    /** What the writers ran into. */
    Queue<Exception> failures() {
        return failures;
    }

    /** Ends the writing, waits until the outbox is empty, stops the relays, and judges; an offence is an error. */
    Verdict finish() throws Exception {
        writers.forEach(Writer::stop);
        for (Thread thread : threads) {
            thread.join();
        }
        Await.until("an empty outbox, see " + log.path(), () -> count("outbox_message") == 0);
        for (RelayProcess relay : relays) {
            relay.stop();
        }
        Verdict verdict = Verdict.of(log.since(0), rows());
        System.out.println("history db=" + database.label() + " fault=" + fault.replace(' ', '-') + " " + verdict);
        List<String> offences = verdict.offences(settings);
        if (verdict.published() == 0 || count("outbox_dead_letter") > 0) {
            throw new AssertionError("nothing was published, or something given up: " + verdict);
        }
        if (!offences.isEmpty()) {
            throw new AssertionError(verdict + "\n" + String.join("\n", offences) + "\nSee " + log.path());
        }
        return verdict;
    }

    private int count(String table) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM " + table)) {
            row.next();
            return row.getInt(1);
        }
    }

    private Set<String> rows() throws SQLException {
        Set<String> rows = new HashSet<>();
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT writer, tx FROM shop")) {
            while (row.next()) {
                rows.add(row.getInt(1) + "/" + row.getInt(2));
            }
        }
        return rows;
    }

    @Override
    public void close() throws IOException {
        writers.forEach(Writer::stop); // daemons: a server that does not answer must not keep us
        relays.forEach(RelayProcess::close);
        log.close();
    }
}
