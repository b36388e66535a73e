package dev.outbox.servers;

import com.mongodb.ConnectionString;
import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import dev.outbox.processes.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bson.Document;
import org.bson.types.MaxKey;
import org.bson.types.MinKey;
import org.jspecify.annotations.Nullable;

/**
 * A sharded MongoDB cluster of packaged programs: a config server, two shards of one member each, and two routers that
 * can be killed. It listens on this machine only, and wants no password.
 */
public final class MongoCluster implements AutoCloseable {
    private static final int ROUTERS = 2;
    private static final String[] SHARDS = {"s1", "s2"};

    private static final Shared<MongoCluster> SHARED = new Shared<>(() -> {
        try {
            MongoCluster cluster = packaged();
            Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "stop-mongo-cluster"));
            return cluster;
        } catch (IOException e) {
            throw new IllegalStateException("no sharded MongoDB cluster: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("no sharded MongoDB cluster: interrupted", e);
        }
    });

    private final Path directory;
    private final List<Node> members = new ArrayList<>();
    private final List<Node> routers = new ArrayList<>();

    private MongoCluster(Path directory) {
        this.directory = directory;
    }

    /** The cluster of this JVM, started at the first call and stopped when the JVM ends. */
    public static MongoCluster shared() {
        return SHARED.get();
    }

    /** A cluster of one's own; to be closed. */
    public static MongoCluster packaged() throws IOException, InterruptedException {
        MongoCluster cluster = new MongoCluster(Files.createTempDirectory("outbox-mongo-cluster"));
        try {
            cluster.start();
            return cluster;
        } catch (IOException | InterruptedException | RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private void start() throws IOException, InterruptedException {
        Commands commands = new Commands(directory.resolve("log"));
        MongoBinary server = MongoBinary.get(MongoBinary.Program.MONGOD, commands);
        MongoBinary router = MongoBinary.get(MongoBinary.Program.MONGOS, commands);
        Node config = member(server, "cfg", "--configsvr");
        for (String shard : SHARDS) {
            member(server, shard, "--shardsvr");
        }
        for (int i = 0; i < members.size(); i++) {
            members.get(i).initiate(i == 0);
        }
        for (int i = 0; i < ROUTERS; i++) {
            int port = Ports.free();
            Node node = new Node(
                    "router" + i,
                    port,
                    List.of(
                            router.program().toString(),
                            "--configdb",
                            "cfg/" + config.address(),
                            "--port",
                            Integer.toString(port),
                            "--bind_ip",
                            "127.0.0.1",
                            "--nounixsocket"),
                    router.libraries(),
                    directory);
            routers.add(node);
            node.start();
        }
        routers.forEach(Node::awaitAnswer);
        for (int i = 0; i < SHARDS.length; i++) {
            onAdmin(new Document(
                    "addShard", SHARDS[i] + "/" + members.get(i + 1).address()));
        }
        // Tests move chunks themselves.
        onAdmin(new Document("balancerStop", 1));
    }

    private Node member(MongoBinary binary, String set, String role) throws IOException {
        int port = Ports.free();
        Path data = Files.createDirectory(directory.resolve(set));
        List<String> command = Stream.concat(
                        binary.command(data, port).stream(),
                        // A range comes back to a shard only when the shard has removed what it had of it.
                        Stream.of(role, "--replSet", set, "--setParameter", "orphanCleanupDelaySecs=1"))
                .map(each -> each.equals("0.5") ? "0.25" : each) // three servers share the machine
                .toList();
        Node node = new Node(set, port, command, binary.libraries(), directory);
        members.add(node);
        node.start();
        node.awaitAnswer();
        return node;
    }

    /** A URL of both routers, without a database. */
    public String url() {
        return "mongodb://" + routers.stream().map(Node::address).collect(Collectors.joining(",")) + "/";
    }

    /** A URL of one router, without a database. */
    public String url(int router) {
        return "mongodb://" + routers.get(router).address() + "/";
    }

    /** Names a database that nobody uses, and returns the URL of it on both routers. */
    public String newDatabase() {
        return url() + "outbox_" + UUID.randomUUID().toString().replace("-", "");
    }

    /** Shards a collection by topic and partition. All of it is on the first shard of its database. */
    public void shard(String database, String collection) {
        onAdmin(new Document("shardCollection", database + "." + collection)
                .append("key", new Document("topic", 1).append("partition", 1)));
    }

    /** Makes a partition the first of a chunk. */
    public void split(String database, String collection, String topic, int partition) {
        onAdmin(new Document("split", database + "." + collection).append("middle", key(topic, partition)));
    }

    /** Moves the chunk that has a partition to a shard, 0 or 1. */
    public void move(String database, String collection, String topic, int partition, int shard) {
        onAdmin(new Document("moveRange", database + "." + collection)
                .append("min", key(topic, partition))
                .append("toShard", SHARDS[shard]));
    }

    private static Document key(String topic, int partition) {
        return new Document("topic", topic).append("partition", partition);
    }

    /** How many chunks of a collection each shard has. */
    public List<Long> chunks(String database, String collection) {
        try (MongoClient client = MongoClients.create(url())) {
            MongoDatabase config = client.getDatabase("config");
            Document of = config.getCollection("collections")
                    .find(new Document("_id", database + "." + collection))
                    .first();
            return Stream.of(SHARDS)
                    .map(shard -> of == null
                            ? 0L
                            : config.getCollection("chunks")
                                    .countDocuments(new Document("uuid", of.get("uuid")).append("shard", shard)))
                    .toList();
        }
    }

    /** Asks each router for a collection, so that all of them know where its chunks are. */
    public void letRoutersLook(String database, String collection) {
        for (int i = 0; i < routers.size(); i++) {
            try (MongoClient client = MongoClients.create(url(i))) {
                client.getDatabase(database)
                        .getCollection(collection)
                        .find(new Document("topic", new Document("$gte", new MinKey()).append("$lte", new MaxKey())))
                        .first();
            }
        }
    }

    /** Drops a database of {@link #newDatabase}. */
    public void dropDatabase(String url) {
        String name = new ConnectionString(url).getDatabase();
        if (name == null) {
            throw new IllegalArgumentException("no database in the URL");
        }
        try (MongoClient client = MongoClients.create(url())) {
            // Dropping waits for transactions, and those of killed processes stay open for a minute.
            client.getDatabase("admin").runCommand(new Document("killAllSessions", List.of()));
            client.getDatabase(name).drop();
        }
    }

    /** Kills a router. */
    public void killRouter(int router) {
        routers.get(router).kill();
    }

    /** Starts a killed router again. */
    public void restartRouter(int router) throws IOException {
        routers.get(router).start();
        routers.get(router).awaitAnswer();
    }

    private Document onAdmin(Document command) {
        try (MongoClient client = MongoClients.create(url())) {
            return client.getDatabase("admin").runCommand(command);
        }
    }

    @Override
    public synchronized void close() {
        routers.forEach(Node::kill);
        members.forEach(Node::kill);
        try {
            Databases.deleteTree(directory);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] the MongoDB cluster left files behind: " + e);
        }
    }

    /** A program of the cluster, which may be running. */
    private static final class Node {
        private final String name;
        private final int port;
        private final List<String> command;
        private final String libraries;
        private final Commands commands;
        private @Nullable Process process;

        Node(String name, int port, List<String> command, String libraries, Path directory) {
            this.name = name;
            this.port = port;
            this.command = command;
            this.libraries = libraries;
            this.commands = new Commands(directory.resolve(name + ".log"));
        }

        String address() {
            return "127.0.0.1:" + port;
        }

        private String url() {
            return "mongodb://" + address() + "/?directConnection=true&serverSelectionTimeoutMS=1000";
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

        private synchronized boolean isAlive() {
            return process != null && process.isAlive();
        }

        void initiate(boolean config) {
            Document set = new Document("_id", name)
                    .append("members", List.of(new Document("_id", 0).append("host", address())));
            run(new Document("replSetInitiate", config ? set.append("configsvr", true) : set));
            await("a primary of " + name, () -> run(new Document("hello", 1)).getBoolean("isWritablePrimary"));
        }

        void awaitAnswer() {
            await("an answer of " + name, () -> {
                run(new Document("ping", 1));
                return true;
            });
        }

        private interface Condition {
            boolean holds();
        }

        private void await(String what, Condition condition) {
            long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
            while (!holds(condition)) {
                if (!isAlive() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("not within 60 s: " + what + ": " + tail());
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
        }

        private static boolean holds(Condition condition) {
            try {
                return condition.holds();
            } catch (MongoException e) {
                return false; // not yet
            }
        }

        private Document run(Document command) {
            try (MongoClient client = MongoClients.create(url())) {
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
