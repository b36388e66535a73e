package dev.outbox.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.outbox.Outbox;
import dev.outbox.Publisher;
import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.store.redis.RedisOutbox;
import java.net.URI;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;

/**
 * A Redis server. By hand, the stream is read, and trimmed after the last entry that was read. Nothing keeps a second
 * reader away from these two commands, so only one client may send them.
 */
final class Redis implements Backend {
    /** As many as the server may be busy with at a time. */
    private static final int CHUNK = 10_000;

    /** A message as the store writes it: the name of its field is a 1 and an id of 16 bytes. */
    private static final String FILL = """
            local lanes, from, till = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
            for n = from, till - 1 do
              redis.call('XADD', KEYS[2 + n % lanes], '*', string.char(1) .. string.format('%016d', n), ARGV[1])
            end
            for lane = 0, lanes - 1 do redis.call('ZADD', KEYS[1], 'NX', 0, ARGV[5 + lane]) end
            """;

    private static final byte[] FIRST = {'-'};
    private static final byte[] LAST = {'+'};
    private static final byte[] NEXT = {'*'};
    private static final byte[] COUNT = "COUNT".getBytes(US_ASCII);
    private static final byte[] FROM = "MINID".getBytes(US_ASCII);

    /** As long as the name that the store gives it. */
    private static final byte[] FIELD = new byte[17];

    private final String url;
    private final String prefix = "{bench-" + UUID.randomUUID() + "}";
    private final RedisOutbox.Named outbox = RedisOutbox.named(prefix);
    private final Jedis connection;

    Redis(String url) {
        this.url = url;
        this.connection = new Jedis(URI.create(url));
    }

    @Override
    public String name() {
        return "redis";
    }

    private String stream(String member) {
        return prefix + ":messages:" + member;
    }

    private byte[] onlyStream() {
        return stream(Load.TOPIC + "#0").getBytes(US_ASCII);
    }

    @Override
    public String version() {
        return "Redis " + text("server", "redis_version") + ", appendfsync "
                + connection.configGet("appendfsync").get("appendfsync");
    }

    @Override
    public String url() {
        return url;
    }

    @Override
    public StoreOptions options(boolean wakeUps) {
        return StoreOptions.defaults().withPrefix(prefix).withWakeUp(wakeUps);
    }

    @Override
    public void clear() {
        connection.keys(prefix + "*").forEach(connection::unlink);
    }

    @Override
    public void add(Load load) {
        int lanes = load.topics() * load.partitions();
        byte[][] keysAndArguments = new byte[1 + lanes + 4 + lanes][];
        keysAndArguments[0] = (prefix + ":ready").getBytes(US_ASCII);
        for (int lane = 0; lane < lanes; lane++) {
            String member = Load.topic(lane / load.partitions()) + "#" + lane % load.partitions();
            keysAndArguments[1 + lane] = stream(member).getBytes(US_ASCII);
            keysAndArguments[1 + lanes + 4 + lane] = member.getBytes(US_ASCII);
        }
        keysAndArguments[1 + lanes] = load.payload();
        keysAndArguments[2 + lanes] = number(lanes);
        for (int n = 0; n < load.messages(); n += CHUNK) {
            keysAndArguments[3 + lanes] = number(n);
            keysAndArguments[4 + lanes] = number(Math.min(n + CHUNK, load.messages()));
            connection.eval(FILL.getBytes(US_ASCII), 1 + lanes, keysAndArguments);
        }
    }

    private static byte[] number(int number) {
        return Integer.toString(number).getBytes(US_ASCII);
    }

    @Override
    public boolean isEmpty() {
        return connection.keys(prefix + ":messages:*").stream().allMatch(key -> connection.xlen(key) == 0);
    }

    @Override
    public void drainBare(int limit, int messages) {
        byte[] stream = onlyStream();
        int left = messages;
        while (left > 0) {
            List<?> entries = (List<?>)
                    connection.sendCommand(Command.XRANGE, stream, FIRST, LAST, COUNT, number(Math.min(limit, left)));
            if (entries.isEmpty()) {
                throw new IllegalStateException("messages are missing: " + left + " of " + messages);
            }
            byte[] last = {};
            for (Object entry : entries) {
                List<?> parts = (List<?>) entry;
                last = (byte[]) parts.get(0);
                List<?> fields = (List<?>) parts.get(1);
                consume((byte[]) fields.get(0), (byte[]) fields.get(1));
            }
            long trimmed = (long) connection.sendCommand(Command.XTRIM, stream, FROM, behind(last));
            if (trimmed != entries.size()) {
                throw new IllegalStateException("others have deleted messages");
            }
            left -= entries.size();
        }
    }

    /** The position after this one. */
    private static byte[] behind(byte[] position) {
        String text = new String(position, US_ASCII);
        int dash = text.indexOf('-');
        return (text.substring(0, dash + 1) + (Long.parseLong(text.substring(dash + 1)) + 1)).getBytes(US_ASCII);
    }

    /** What a publisher would be given: the id and the payload. */
    private static void consume(byte[] label, byte[] payload) {
        if (HexFormat.of().formatHex(label, 1, label.length).isEmpty() || payload.length == 0) {
            throw new IllegalStateException("a message without id or payload");
        }
    }

    @Override
    public Writer writer(Topic<byte[]> topic) {
        Jedis own = new Jedis(URI.create(url));
        return new Writer() {
            private @Nullable AbstractTransaction tx;
            private @Nullable Publisher<byte[]> publisher;

            @Override
            public void begin() {
                tx = own.multi();
                publisher = Outbox.bind(topic, outbox.persist(tx));
            }

            @Override
            public Publisher<byte[]> publisher() {
                return Objects.requireNonNull(publisher);
            }

            @Override
            public void commit() {
                AbstractTransaction current = Objects.requireNonNull(tx);
                RedisOutbox.exec(current).orThrow();
                current.close();
            }

            @Override
            public void close() {
                own.close();
            }
        };
    }

    @Override
    public void persistBare(int transactions, int messages) {
        byte[] stream = onlyStream();
        byte[] payload = Load.payload(Load.USUAL_BYTES);
        for (int t = 0; t < transactions; t++) {
            try (AbstractTransaction tx = connection.multi()) {
                for (int m = 0; m < messages; m++) {
                    tx.sendCommand(Command.XADD, stream, NEXT, FIELD, payload);
                }
                if (tx.exec().size() != messages) {
                    throw new IllegalStateException("not everything was written");
                }
            }
        }
    }

    @Override
    public long roundTrip() {
        try (AbstractTransaction tx = connection.multi()) {
            tx.sendCommand(Command.XADD, onlyStream(), NEXT, FIELD, Load.payload(Load.USUAL_BYTES));
            long start = System.nanoTime();
            tx.exec();
            List<?> entries =
                    (List<?>) connection.sendCommand(Command.XRANGE, onlyStream(), FIRST, LAST, COUNT, number(100));
            long end = System.nanoTime();
            byte[] last = (byte[]) ((List<?>) entries.get(entries.size() - 1)).get(0);
            connection.sendCommand(Command.XTRIM, onlyStream(), FROM, behind(last));
            return end - start;
        }
    }

    @Override
    public Activity activity() {
        return new Activity(
                (long) info("stats", "total_commands_processed"),
                info("cpu", "used_cpu_user") + info("cpu", "used_cpu_sys"));
    }

    private double info(String section, String name) {
        return Double.parseDouble(text(section, name));
    }

    private String text(String section, String name) {
        return connection
                .info(section)
                .lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).trim())
                .findFirst()
                .orElse("NaN");
    }

    /** How many bytes of memory the server needs for what is in the outbox, all its keys together. */
    long storedBytes() {
        return connection.keys(prefix + "*").stream()
                .mapToLong(this::storedBytes)
                .sum();
    }

    /** How many it needs for the stream alone. */
    long storedBytesBare() {
        return storedBytes(new String(onlyStream(), US_ASCII));
    }

    private long storedBytes(String key) {
        return connection.memoryUsage(key, 0); // all of it, no estimate
    }

    @Override
    public void close() {
        clear();
        connection.close();
    }

    static {
        Arrays.fill(FIELD, (byte) 'f');
    }
}
