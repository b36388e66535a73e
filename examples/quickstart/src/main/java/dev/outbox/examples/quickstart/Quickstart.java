package dev.outbox.examples.quickstart;

import com.mongodb.MongoException;
import dev.outbox.ConfigurationException;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.spi.Redacted;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisException;

/** Runs the example: see {@link Arguments#HELP}. */
public final class Quickstart {
    private static final int BROKEN_LINES_SHOWN = 20;
    private static final DateTimeFormatter RUN =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final PrintStream out;
    private final OrderFile file;
    private final String run;
    private final Path output;
    private final String url;
    private final BrokerKind.Choice choice;

    private Quickstart(PrintStream out, OrderFile file, String run, Path dir, Arguments arguments) {
        this.out = out;
        this.file = file;
        this.run = run;
        this.output = dir.resolve("published.tsv");
        this.url = arguments.url() != null ? arguments.url() : h2(dir);
        this.choice = arguments.broker() != null
                ? arguments.broker()
                : new BrokerKind.Choice(BrokerKind.FILE, output.toString());
    }

    /** Runs the example and ends with its exit code. */
    public static void main(String[] args) throws IOException {
        int exitCode = run(System.out, System.err, args);
        String good = System.getProperty("quickstart.good");
        if (exitCode == 0 && good != null) {
            Files.createFile(Path.of(good)); // what the build looks for instead of the exit code
        }
        System.exit(exitCode);
    }

    /** Runs the example and returns its exit code. */
    static int run(PrintStream out, PrintStream err, String... args) {
        try {
            Arguments arguments = Arguments.parse(args);
            if (arguments.help()) {
                out.print(Arguments.HELP);
                return 0;
            }
            OrderFile file = arguments.file() == null ? OrderFile.bundled() : OrderFile.at(arguments.file());
            String run =
                    RUN.format(Instant.now()) + "-" + ProcessHandle.current().pid();
            Path dir = makeDir(arguments.dir(), run);
            return new Quickstart(out, file, run, dir, arguments).run() ? 0 : Failure.BROKEN;
        } catch (Failure e) {
            out.flush();
            err.println(e.getMessage() + (e.exitCode() == Failure.USAGE ? " See --help." : ""));
            return e.exitCode();
        } catch (IOException e) {
            err.println("Reading or writing a file failed: " + e);
            return Failure.BROKEN;
        } catch (OutboxException | DataAccessException | JedisException | MongoException e) {
            err.println("The database failed: " + e.getMessage());
            return Failure.BROKEN;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            err.println("Interrupted.");
            return Failure.BROKEN;
        }
    }

    private boolean run() throws IOException, InterruptedException {
        file.broken().stream().limit(BROKEN_LINES_SHOWN).forEach(line -> out.println("skipped  " + line));
        if (file.broken().size() > BROKEN_LINES_SHOWN) {
            out.println("skipped  " + (file.broken().size() - BROKEN_LINES_SHOWN) + " more");
        }
        out.println("orders   " + file.lines().size() + " from " + file.name());
        out.println("database " + Redacted.url(url));
        if (choice.address() != null) {
            return run(choice.address());
        }
        try (BrokerProcess started = BrokerProcess.start(choice.kind())) {
            return run(started.address());
        }
    }

    private boolean run(String address) throws IOException, InterruptedException {
        Broker broker = choice.kind().at(address);
        Topic<Order> topic = OrderTopic.forWriting("quickstart-" + run);
        out.println("broker   " + broker.shown());
        if (choice.kind() != BrokerKind.FILE) {
            out.println("consumer notes what arrives in " + output);
        }
        try (Store store = openStore();
                Shop shop = Backend.shop(url, run, topic, Writers.THREADS + 1);
                Consumer consumer = consume(broker, address, topic.name())) {
            return run(new Sides(choice.kind().line(address), consumer, Operations.of(store)), shop, topic.name());
        }
    }

    /** What the relay publishes to, who reads it there, and what the store says. */
    private record Sides(String broker, Consumer consumer, Operations operations) {}

    private Consumer consume(Broker broker, String address, String topic) {
        try {
            return broker.consume(topic, output);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Failure.broken("Interrupted.");
        } catch (Exception e) {
            throw Failure.usage("Cannot use " + broker.shown() + ": " + Failure.textOf(e, address));
        }
    }

    /**
     * The relay is killed when a third of the messages has come, and the last third is written after that: so it has
     * published some and not all, whichever side is faster.
     */
    private boolean run(Sides sides, Shop shop, String topic) throws IOException, InterruptedException {
        int authorised = file.authorised();
        boolean enough = authorised >= 2;
        int killAt = Math.max(1, authorised / 3);
        int freely = enough ? Math.max(1, authorised * 2 / 3) : authorised;
        DeliveryLog.Counter deliveries = new DeliveryLog.Counter(output);
        try (RelayProcess first = RelayProcess.start(url, sides.broker(), topic);
                Writers writers = new Writers(shop, file.lines(), freely)) {
            Progress progress = new Progress(out, writers, deliveries);
            progress.say("relay started, pid " + first.pid() + "; " + Writers.THREADS + " threads take orders");
            if (!enough) {
                writers.openGate();
                finish(progress, first, writers, sides, topic);
                return judge(progress, shop, "no: fewer than two orders to commit");
            }
            progress.await("deliveries", first, () -> deliveries.count() >= killAt);
            int exitCode = first.kill();
            long killedAt = deliveries.count();
            progress.say("relay killed with SIGKILL after " + killedAt + " deliveries, exit code " + exitCode);
            writers.openGate();
            try (RelayProcess second = RelayProcess.start(url, sides.broker(), topic)) {
                progress.say("relay started again, pid " + second.pid());
                finish(progress, second, writers, sides, topic);
            }
            return judge(progress, shop, "after " + killedAt + " deliveries, exit code " + exitCode);
        }
    }

    private static void finish(Progress progress, RelayProcess relay, Writers writers, Sides sides, String topic)
            throws IOException, InterruptedException {
        progress.await("the writers", relay, writers::finished);
        progress.say("all orders taken; the outbox drains");
        progress.await(
                "an empty outbox",
                relay,
                () -> sides.operations().backlog().stream()
                        .noneMatch(backlog -> backlog.topic().equals(topic)));
        progress.await("the consumer", relay, sides.consumer()::hasEverything);
        relay.stop();
        progress.say("outbox empty, relay stopped");
    }

    private boolean judge(Progress progress, Shop shop, String killed) throws IOException {
        List<Delivered> deliveries = DeliveryLog.read(output);
        Set<String> tried =
                file.lines().stream().map(line -> line.order().number()).collect(Collectors.toUnmodifiableSet());
        Verdict verdict = Verdict.of(tried, shop.committed(), deliveries);
        out.println();
        row("lines skipped", file.broken().size(), "no orders; see above");
        row("orders tried", verdict.orders(), "each in one transaction with its message");
        row("committed", verdict.committed(), shop.orders());
        row("rolled back", verdict.rolledBack(), "payment declined after both were written");
        row("deliveries", deliveries.size(), "lines of published.tsv");
        row("published", verdict.published(), "different messages among them");
        row("duplicated", verdict.duplicated(), "delivered again, because the relay was killed before it could settle");
        out.printf(Locale.ROOT, "  %-15s %8s  %s%n", "relay killed", "", killed);
        out.printf(Locale.ROOT, "  %-15s %8.1f%n", "seconds", progress.seconds());
        out.println();
        out.println(verdict);
        out.flush();
        return verdict.isGood();
    }

    private void row(String name, int count, String meaning) {
        out.printf(Locale.ROOT, "  %-15s %,8d  %s%n", name, count, meaning);
    }

    private Store openStore() {
        Backend.requireUsable(url);
        try {
            return Stores.open(url, Backend.options(url).withCreateSchema(true));
        } catch (ConfigurationException | StoreException e) {
            throw Failure.usage(e.getMessage());
        }
    }

    private static Path makeDir(@Nullable Path parent, String run) {
        try {
            return parent == null
                    ? Files.createTempDirectory("quickstart-")
                    : Files.createDirectories(parent.resolve(run)).toRealPath();
        } catch (IOException e) {
            throw Failure.usage("Cannot make a folder in " + parent + ": " + e + ".");
        }
    }

    /** A database in a file that two processes share: the first serves it to the second, on this machine alone. */
    private static String h2(Path dir) {
        if (System.getProperty("h2.bindAddress") == null) {
            System.setProperty("h2.bindAddress", "127.0.0.1");
        }
        return "jdbc:h2:file:" + dir.resolve("shop") + ";AUTO_SERVER=TRUE";
    }
}
