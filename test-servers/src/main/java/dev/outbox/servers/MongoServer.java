package dev.outbox.servers;

import com.mongodb.ConnectionString;
import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import dev.outbox.processes.Await;
import dev.outbox.processes.Signals;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bson.Document;
import org.jspecify.annotations.Nullable;
import org.testcontainers.mongodb.MongoDBContainer;

/**
 * A MongoDB replica set: the one that the environment variable {@value #ENVIRONMENT} names, else a container, else a
 * packaged binary. Packaged ones demand a password.
 */
public final class MongoServer implements AutoCloseable {
    /** A {@code mongodb://} URL whose user may create and drop databases. */
    public static final String ENVIRONMENT = "OUTBOX_TEST_MONGO_URL";

    private static final String IMAGE = "mongo:8.0";
    private static final String USER = "root";
    private static final String PASSWORD = "mongo";

    private static final Shared<MongoServer> SHARED = new Shared<>(() -> {
        MongoServer server = Server.first(
                "Mongo",
                new Server.Source<>("environment variable " + ENVIRONMENT, MongoServer::named),
                new Server.Source<>("container " + IMAGE, () -> Server.contained(MongoServer::contained)),
                new Server.Source<>("packaged binary", () -> packaged(1)));
        Runtime.getRuntime().addShutdownHook(new Thread(server::close, "stop-mongo"));
        return server;
    });

    private final String adminUrl;
    private final List<Member> members;
    private final @Nullable Path directory;

    private MongoServer(String adminUrl, List<Member> members, @Nullable Path directory) {
        this.adminUrl = adminUrl;
        this.members = members;
        this.directory = directory;
    }

    /**
     * The server of this JVM, one node, started at the first call and stopped when the JVM ends. Child processes are
     * given the URLs of its databases and leave the server alone.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static MongoServer shared() {
        return SHARED.get();
    }

    /** A packaged replica set of one's own, whose members can be killed and started again; to be closed. */
    public static MongoServer packaged(int size) throws IOException, InterruptedException {
        return packaged(size, List.of());
    }

    /**
     * The same with more parameters, such as {@code enableTestCommands=1}, which lets {@code configureFailPoint} make
     * commands fail.
     */
    public static MongoServer packaged(int size, List<String> parameters) throws IOException, InterruptedException {
        Stream<String> more = parameters.stream().flatMap(each -> Stream.of("--setParameter", each));
        Path directory = DataDirectory.create("outbox-mongo");
        Path key = Files.createFile(
                directory.resolve("key"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(key, UUID.randomUUID().toString().replace("-", "")); // the members' password to each other
        Stream<String> usual = Stream.of(
                "--replSet",
                "rs0",
                "--keyFile",
                key.toString(),
                // Tests open many connections, and each works for its password.
                "--setParameter",
                "scramSHA256IterationCount=5000");
        List<Member> members = start(directory, size, Stream.concat(usual, more).toArray(String[]::new));
        String hosts = members.stream().map(m -> "127.0.0.1:" + m.port).collect(Collectors.joining(","));
        MongoServer server = new MongoServer(
                "mongodb://" + USER + ":" + PASSWORD + "@" + hosts + "/?authSource=admin&replicaSet=rs0",
                members,
                directory);
        try {
            members.get(0).runOnAdmin(new Document("replSetInitiate", configuration(members)));
            // Before there is a user, any client on the same machine may make one.
            members.get(server.awaitPrimary())
                    .runOnAdmin(new Document("createUser", USER)
                            .append("pwd", PASSWORD)
                            .append("roles", List.of("root")));
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
        return server;
    }

    /** A packaged server that is no replica set and wants no password; to be closed. */
    public static MongoServer standalone() throws IOException, InterruptedException {
        Path directory = DataDirectory.create("outbox-mongo");
        List<Member> members = start(directory, 1);
        return new MongoServer("mongodb://127.0.0.1:" + members.get(0).port + "/", members, directory);
    }

    /** A URL of the server without a database, user and password included. */
    public String url() {
        return adminUrl;
    }

    /** Names a database that nobody uses and returns its URL, user and password included; any JVM can use it. */
    public String newDatabase() {
        int query = adminUrl.indexOf('?');
        String server = query < 0 ? adminUrl : adminUrl.substring(0, query);
        return (server.endsWith("/") ? server : server + "/")
                + "outbox_" + UUID.randomUUID().toString().replace("-", "")
                + (query < 0 ? "" : adminUrl.substring(query));
    }

    /** Drops a database of {@link #newDatabase}. */
    public void dropDatabase(String url) {
        String name = new ConnectionString(url).getDatabase();
        if (name == null) {
            throw new IllegalArgumentException("no database in the URL");
        }
        try (MongoClient client = MongoClients.create(adminUrl)) {
            // Dropping waits for transactions, and those of killed processes stay open for a minute. Nobody else uses
            // the server.
            client.getDatabase("admin").runCommand(new Document("killAllSessions", List.of()));
            client.getDatabase(name).drop();
        }
    }

    /** How many members the packaged replica set has. */
    public int size() {
        return members.size();
    }

    /** Which member is the primary now, asked of the members themselves; -1 if none says so. */
    public int primary() {
        return IntStream.range(0, members.size())
                .filter(i -> members.get(i).isPrimary())
                .findFirst()
                .orElse(-1);
    }

    /** Makes the primary give its place to another member, and waits until one has it. */
    public void stepDown() {
        try (MongoClient client = MongoClients.create(adminUrl)) {
            client.getDatabase("admin")
                    .runCommand(new Document("replSetStepDown", 2)
                            .append("secondaryCatchUpPeriodSecs", 1)
                            .append("force", true));
        }
        awaitPrimary();
    }

    /**
     * Waits until there is a primary; returns which member said so, because asked once more it may be too slow to
     * answer.
     */
    public int awaitPrimary() {
        AtomicInteger found = new AtomicInteger();
        await("a primary", () -> found.updateAndGet(none -> primary()) >= 0);
        return found.get();
    }

    /** Kills a member, as a power cut would. */
    public void kill(int member) {
        members.get(member).kill();
    }

    /** Starts a killed member again, with the data it had, on the port it had. */
    public void restart(int member) throws IOException {
        members.get(member).start();
    }

    /** Lets a member stand still, until {@link #resume}. */
    public void pause(int member) throws IOException {
        Signals.pause(members.get(member).running());
    }

    /** Lets a paused member go on. */
    public void resume(int member) throws IOException {
        Signals.resume(members.get(member).running());
    }

    @Override
    public synchronized void close() {
        members.forEach(Member::kill);
        try {
            Databases.deleteTree(directory);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] MongoDB left files behind: " + e);
        }
    }

    private static MongoServer named() throws Server.UnsetException {
        String url = Named.url(ENVIRONMENT);
        try (MongoClient client = MongoClients.create(url)) {
            client.getDatabase("admin").runCommand(new Document("ping", 1));
        } catch (IllegalArgumentException | MongoException e) {
            throw new Server.NamedException(ENVIRONMENT, e);
        }
        return new MongoServer(url, List.of(), null);
    }

    @SuppressWarnings("resource") // removed when the JVM ends
    private static MongoServer contained() {
        MongoDBContainer container = new MongoDBContainer(IMAGE).withReplicaSet();
        container.start();
        return new MongoServer(container.getConnectionString() + "/", List.of(), null);
    }

    private static List<Member> start(Path directory, int size, String... more)
            throws IOException, InterruptedException {
        Commands commands = new Commands(directory.resolve("log"));
        MongoBinary binary = MongoBinary.get(MongoBinary.Program.MONGOD, commands);
        List<Member> members = new ArrayList<>();
        try {
            for (int i = 0; i < size; i++) {
                Path data = Files.createDirectory(directory.resolve("data" + i));
                int port = Ports.free();
                List<String> command = Stream.concat(binary.command(data, port).stream(), Stream.of(more))
                        .toList();
                Member member = new Member(
                        port, command, binary.libraries(), new Commands(directory.resolve("mongod" + i + ".log")));
                members.add(member);
                member.start();
            }
            members.forEach(Member::awaitAnswer);
            return members;
        } catch (IOException | RuntimeException e) {
            members.forEach(Member::kill);
            throw e;
        }
    }

    private static Document configuration(List<Member> members) {
        List<Document> hosts = new ArrayList<>();
        for (int i = 0; i < members.size(); i++) {
            hosts.add(new Document("_id", i).append("host", "127.0.0.1:" + members.get(i).port));
        }
        return new Document("_id", "rs0")
                .append("members", hosts)
                // A fifth of the default, so that a failover takes about two seconds.
                .append(
                        "settings",
                        new Document("electionTimeoutMillis", 2_000).append("heartbeatIntervalMillis", 500));
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("Not within 60 s: " + what);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    /** A mongod that may be running. */
    private static final class Member {
        final int port;
        final String url;
        private final List<String> command;
        private final String libraries;
        private final Commands commands;
        private @Nullable Process process;

        Member(int port, List<String> command, String libraries, Commands commands) {
            this.port = port;
            this.url = "mongodb://127.0.0.1:" + port + "/?directConnection=true&serverSelectionTimeoutMS=1000";
            this.command = command;
            this.libraries = libraries;
            this.commands = commands;
        }

        synchronized void start() throws IOException {
            process = commands.start(libraries, command);
        }

        synchronized void kill() {
            if (process != null) {
                process.destroyForcibly()
                        .onExit()
                        .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                        .join();
            }
        }

        synchronized boolean isAlive() {
            return process != null && process.isAlive();
        }

        synchronized ProcessHandle running() {
            if (process == null) {
                throw new IllegalStateException("The server is not running.");
            }
            return process.toHandle();
        }

        void awaitAnswer() {
            try (MongoClient client = MongoClients.create(url)) {
                await("an answer of mongod", () -> {
                    if (!isAlive()) {
                        throw new IllegalStateException("mongod did not start: " + tail());
                    }
                    try {
                        client.getDatabase("admin").runCommand(new Document("ping", 1));
                        return true;
                    } catch (MongoException e) {
                        return false;
                    }
                });
            }
        }

        boolean isPrimary() {
            try {
                return isAlive() && runOnAdmin(new Document("hello", 1)).getBoolean("isWritablePrimary");
            } catch (MongoException e) {
                return false;
            }
        }

        Document runOnAdmin(Document command) {
            try (MongoClient client = MongoClients.create(url)) {
                return client.getDatabase("admin").runCommand(command);
            }
        }

        private String tail() {
            try {
                return commands.tail();
            } catch (IOException e) {
                return e.toString();
            }
        }
    }
}
