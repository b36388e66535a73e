package dev.outbox.histories;

import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.processes.Await;
import dev.outbox.processes.SharedLog;
import dev.outbox.servers.RedisServer;
import dev.outbox.store.redis.RedisOutbox;
import dev.outbox.store.redis.TransactionResult;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.exceptions.JedisException;

/** Redis, with a user for relays, and one for the application. */
final class RedisBackend implements Backend {
    private static final String PREFIX = "{history}";
    private static final String SHOP = PREFIX + ":shop";

    private static final String STREAM = PREFIX + ":messages:" + Odd.TOPIC + "#" + Odd.PARTITION;

    /** A lease is what partitions wait for whose relay is gone. */
    private static final Map<String, String> OPTIONS = Map.of("prefix", PREFIX, "leaseMillis", "3000");

    private final RedisServer server;
    private final Odd odd;

    RedisBackend(SharedLog<Line> log) throws IOException {
        // Among the settings, so that they outlive the process.
        List<String> settings = new ArrayList<>();
        for (String user : List.of("relay", "app")) {
            settings.addAll(List.of("--user", user, "on", ">" + user, "~*", "&*", "+@all"));
        }
        server = RedisServer.packaged(settings.toArray(String[]::new));
        odd = new Odd(log);
    }

    @Override
    public String name() {
        return "redis";
    }

    private Way way(String user) throws IOException {
        return Way.Single.to("redis://" + user + ":" + user + "@127.0.0.1:" + server.port());
    }

    @Override
    public Way wayOfRelay() throws IOException {
        return way("relay");
    }

    @Override
    public Way wayOfWriters() throws IOException {
        return way("app");
    }

    @Override
    public Map<String, String> options() {
        return OPTIONS;
    }

    @Override
    public Application connect(Way way) {
        return new Client(new Jedis(URI.create(way.url()), 10_000));
    }

    @Override
    public Set<String> committed() {
        try (Jedis jedis = server.connect()) {
            return jedis.smembers(SHOP);
        }
    }

    @Override
    public Store administrator() {
        return Stores.open(server.url(), StoreOptions.of(OPTIONS));
    }

    @Override
    public boolean asksWhetherClientsAreThere() {
        return false;
    }

    @Override
    public List<Fault> faults() {
        return List.of(
                Fault.ofAll("server killed", server::kill, server::restart),
                Fault.ofAll("server stands still", server::pause, server::resume),
                Fault.ofAll("sessions ended", time -> tell("CLIENT", "KILL", "TYPE", "normal")),
                Fault.ofAll("subscriptions ended", time -> tell("CLIENT", "KILL", "TYPE", "pubsub")),
                Fault.ofAll(
                        "database read-only",
                        () -> tell("REPLICAOF", "127.0.0.1", "1"),
                        () -> insist("REPLICAOF", "NO", "ONE")),
                Fault.ofAll(
                        "replicas missing",
                        () -> tell("CONFIG", "SET", "min-replicas-to-write", "1"),
                        () -> insist("CONFIG", "SET", "min-replicas-to-write", "0")),
                Fault.ofAll(
                        "memory full",
                        () -> tell("CONFIG", "SET", "maxmemory", "1mb"),
                        () -> insist("CONFIG", "SET", "maxmemory", "0")),
                Fault.ofAll(
                        "right to delete withdrawn",
                        () -> tell("ACL", "SETUSER", "relay", "-xtrim", "-xdel", "-zrem"),
                        () -> insist("ACL", "SETUSER", "relay", "+@all")),
                Fault.ofAll(
                        "scripts forbidden",
                        () -> tell("ACL", "SETUSER", "relay", "-@scripting"),
                        () -> insist("ACL", "SETUSER", "relay", "+@all")),
                Fault.ofAll(
                        "writers shut out",
                        () -> {
                            tell("ACL", "SETUSER", "app", "off");
                            tell("CLIENT", "KILL", "USER", "app");
                        },
                        () -> insist("ACL", "SETUSER", "app", "on")),
                Fault.ofAll("scripts forgotten", time -> tell("SCRIPT", "FLUSH")),
                Fault.ofAll("commands held up", time -> {
                    tell("CLIENT", "PAUSE", Long.toString(time.toMillis()));
                    Await.passed(time);
                }),
                Fault.ofAll(
                        "idle sessions ended",
                        () -> tell("CONFIG", "SET", "timeout", "1"),
                        () -> insist("CONFIG", "SET", "timeout", "0")),
                Fault.ofAll("an entry that cannot be read", this::spoil).concerning(Odd.PLACE));
    }

    private void tell(String... command) {
        try (Jedis jedis = server.connect()) {
            String[] arguments = Arrays.copyOfRange(command, 1, command.length);
            jedis.sendCommand(Protocol.Command.valueOf(command[0]), arguments);
        }
    }

    private void insist(String... command) throws Exception {
        Await.until(String.join(" ", command), Verdict.PATIENCE, () -> {
            try {
                tell(command);
                return true;
            } catch (JedisException e) {
                return false;
            }
        });
    }

    /** Before a message of its partition stands, for a while, an entry that nobody of us wrote. */
    private void spoil(Duration time) throws Exception {
        try (Client client = new Client(server.connect())) {
            odd.write(
                    client,
                    () -> client.tx().xadd(STREAM, StreamEntryID.NEW_ENTRY, Map.of("nobody's", "entry")),
                    () -> {});
            Await.passed(time);
        }
        Await.until("an entry to be deleted", Verdict.PATIENCE, () -> {
            try (Jedis jedis = server.connect()) {
                jedis.xrange(STREAM, "-", "+").stream()
                        .filter(entry -> entry.getFields().containsKey("nobody's"))
                        .forEach(entry -> jedis.xdel(STREAM, entry.getID()));
                return true;
            } catch (JedisException e) {
                return false;
            }
        });
    }

    @Override
    public void close() {
        server.close();
    }

    /** A connection of the application. */
    private static final class Client implements Application {
        private final Jedis jedis;
        private @Nullable Transaction tx;

        Client(Jedis jedis) {
            this.jedis = jedis;
        }

        private Transaction tx() {
            if (tx == null) {
                throw new IllegalStateException("no transaction");
            }
            return tx;
        }

        @Override
        public void begin(String transaction) {
            Transaction begun = jedis.multi();
            tx = begun;
            begun.sadd(SHOP, transaction);
        }

        @Override
        public String persist(OutgoingMessage message) {
            return RedisOutbox.named(PREFIX).persist(tx()).persist(message);
        }

        @Override
        public @Nullable Object savepoint() {
            return null;
        }

        @Override
        public void back(Object savepoint) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Story.Ending commit() {
            TransactionResult result = RedisOutbox.exec(tx());
            if (result instanceof TransactionResult.Committed) {
                return Story.Ending.COMMITTED;
            }
            close(); // as after an exception
            return result instanceof TransactionResult.NothingWritten ? Story.Ending.UNDONE : Story.Ending.UNKNOWN;
        }

        @Override
        public void rollback() {
            tx().discard();
        }

        @Override
        public void close() {
            jedis.close();
        }
    }
}
