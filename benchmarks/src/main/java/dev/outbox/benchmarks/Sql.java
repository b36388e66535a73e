package dev.outbox.benchmarks;

import dev.outbox.Outbox;
import dev.outbox.Publisher;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.store.jooq.JdbcOutbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A SQL database. By hand, rows are locked one by one and skipped where they are locked, which is exclusive and keeps
 * no order with other relays; the table is the same, and so are the columns that a publisher needs.
 */
final class Sql implements Backend {
    private static final String READ =
            "SELECT id, message_key, headers, payload FROM outbox_message ORDER BY id LIMIT ?"
                    + " FOR UPDATE SKIP LOCKED";
    private static final String INSERT =
            "INSERT INTO outbox_message (topic, partition_no, message_key, headers, payload) VALUES (?, ?, ?, ?, ?)";

    /** From this number of messages on, a server needs longer to write a load to its disk than to take it. */
    private static final int LARGE = 100_000;

    private final String name;
    private final String url;

    /** Whether a list of ids can be one parameter. */
    private final boolean arrays;

    private @Nullable Connection kept;
    private @Nullable Connection reading;

    Sql(String name, String url, boolean arrays) {
        this.name = name;
        this.url = url;
        this.arrays = arrays;
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String version() throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            DatabaseMetaData server = connection.getMetaData();
            return server.getDatabaseProductName() + " " + server.getDatabaseProductVersion();
        }
    }

    @Override
    public String url() {
        return url;
    }

    @Override
    public StoreOptions options(boolean wakeUps) {
        StoreOptions options = StoreOptions.defaults();
        return wakeUps && name.equals("postgres")
                ? options.withWakeUp(true).withCreateSchema(true) // which makes the trigger
                : options;
    }

    @Override
    public void clear() throws SQLException {
        if (kept != null) {
            kept.close();
            kept = null;
        }
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            truncate(statement);
        }
    }

    @Override
    public void add(Load load) throws SQLException {
        int lanes = load.topics() * load.partitions();
        String topics = IntStream.range(0, load.topics())
                .mapToObj(t -> "WHEN " + t + " THEN '" + Load.topic(t) + "'")
                .collect(Collectors.joining(" ", "CASE lane_no / " + load.partitions() + " ", " END"));
        if (name.startsWith("m")) { // whose division has a remainder
            topics = topics.replace(" / ", " DIV ");
        }
        try (Connection connection = DriverManager.getConnection(url)) {
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO outbox_message (topic, partition_no, message_key, payload) SELECT " + topics
                            + ", MOD(lane_no, " + load.partitions() + "), "
                            + keys(load) + ", " + (name.equals("h2") ? "CAST(? AS VARBINARY)" : "?")
                            + " FROM (SELECT MOD(n, " + lanes + ") AS lane_no FROM (" + row(load.messages())
                            + ") numbers WHERE n < " + load.messages() + ") lanes")) {
                insert.setBytes(1, load.payload());
                insert.executeUpdate();
            }
            try (Statement statement = connection.createStatement()) {
                switch (name) {
                    case "postgres" -> {
                        statement.execute("VACUUM ANALYZE outbox_message");
                        if (load.messages() >= LARGE) {
                            statement.execute("CHECKPOINT"); // which would otherwise be written while the clock runs
                        }
                    }
                    case "h2" -> statement.execute("ANALYZE");
                    default -> statement.execute("ANALYZE TABLE outbox_message");
                }
            }
        }
    }

    private static String keys(Load load) {
        if (!load.keyed()) {
            return "NULL";
        }
        List<String> keys = Load.keys(load.partitions());
        return IntStream.range(0, load.partitions())
                .mapToObj(p -> "WHEN " + p + " THEN '" + keys.get(p) + "'")
                .collect(Collectors.joining(" ", "CASE MOD(lane_no, " + load.partitions() + ") ", " END"));
    }

    /** The numbers from 0 on, at least {@code count} of them, in the way that all databases know. */
    private static String row(int count) {
        String digit = IntStream.range(0, 10)
                .mapToObj(d -> "SELECT " + d + " AS d")
                .collect(Collectors.joining(" UNION ALL "));
        int digits = Integer.toString(Math.max(0, count - 1)).length();
        String number = IntStream.range(0, digits)
                .mapToObj(i -> "t" + i + ".d * " + (int) Math.pow(10, i))
                .collect(Collectors.joining(" + "));
        String tables = IntStream.range(0, digits)
                .mapToObj(i -> "(" + digit + ") t" + i)
                .collect(Collectors.joining(" CROSS JOIN "));
        return "SELECT " + number + " AS n FROM " + tables;
    }

    /** MariaDB's statistics thread may be at the table just then, which is answered with a timeout. */
    private void truncate(Statement statement) throws SQLException {
        boolean mayWait = name.equals("mysql") || name.equals("mariadb");
        if (mayWait) {
            statement.execute("SET innodb_lock_wait_timeout = 2");
        }
        for (int attempt = 1; ; attempt++) {
            try {
                statement.execute("TRUNCATE TABLE outbox_message");
                return;
            } catch (SQLException e) {
                if (!mayWait || attempt == 20) {
                    throw e;
                }
            }
        }
    }

    @Override
    public boolean isEmpty() throws SQLException {
        try (PreparedStatement any = transactions().prepareStatement("SELECT 1 FROM outbox_message LIMIT 1");
                ResultSet rows = any.executeQuery()) {
            boolean empty = !rows.next();
            transactions().commit();
            return empty;
        }
    }

    private Connection transactions() throws SQLException {
        if (kept == null) {
            kept = DriverManager.getConnection(url);
            kept.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            kept.setAutoCommit(false);
        }
        return kept;
    }

    @Override
    public void drainBare(int limit, int messages) throws SQLException {
        int left = messages;
        Connection connection = transactions();
        try (PreparedStatement read = connection.prepareStatement(READ)) {
            while (left > 0) {
                read.setInt(1, Math.min(limit, left));
                long[] ids = new long[limit];
                int count = 0;
                try (ResultSet rows = read.executeQuery()) {
                    while (rows.next()) {
                        ids[count++] = rows.getLong(1);
                        consume(rows.getString(2), rows.getString(3), rows.getBytes(4));
                    }
                }
                if (count == 0) {
                    throw new IllegalStateException("messages are missing: " + left + " of " + messages);
                }
                delete(connection, Arrays.copyOf(ids, count));
                connection.commit();
                left -= count;
            }
        }
    }

    private static void consume(Object... columns) {
        if (columns[columns.length - 1] == null) {
            throw new IllegalStateException("a message without a payload");
        }
    }

    private void delete(Connection connection, long[] ids) throws SQLException {
        String list = arrays ? "= ANY (?)" : "IN (?" + ", ?".repeat(ids.length - 1) + ")";
        try (PreparedStatement delete = connection.prepareStatement("DELETE FROM outbox_message WHERE id " + list)) {
            if (arrays) {
                delete.setArray(
                        1,
                        connection.createArrayOf(
                                "bigint", Arrays.stream(ids).boxed().toArray()));
            } else {
                for (int i = 0; i < ids.length; i++) {
                    delete.setLong(i + 1, ids[i]);
                }
            }
            if (delete.executeUpdate() != ids.length) {
                throw new IllegalStateException("others have deleted messages");
            }
        }
    }

    @Override
    public Writer writer(Topic<byte[]> topic) throws SQLException {
        // MySQL's driver sends several messages in one round trip only if it is told to.
        Connection connection =
                DriverManager.getConnection(name.equals("mysql") ? url + "&rewriteBatchedStatements=true" : url);
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        connection.setAutoCommit(false);
        return new Writer() {
            @Override
            public void begin() {}

            @Override
            public Publisher<byte[]> publisher() {
                return Outbox.bind(topic, JdbcOutbox.persist(connection));
            }

            @Override
            public void commit() throws SQLException {
                connection.commit();
            }

            @Override
            public void close() {
                try {
                    connection.close();
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
    }

    @Override
    public void persistBare(int transactions, int messages) throws SQLException {
        byte[] payload = Load.payload(Load.USUAL_BYTES);
        Connection connection = transactions();
        for (int t = 0; t < transactions; t++) {
            for (int m = 0; m < messages; m++) {
                insert(connection, payload);
            }
            connection.commit();
        }
    }

    private static void insert(Connection connection, byte[] payload) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(INSERT, new String[] {"id"})) {
            insert.setString(1, Load.TOPIC);
            insert.setInt(2, 0);
            insert.setString(3, null);
            insert.setString(4, null);
            insert.setBytes(5, payload);
            insert.executeUpdate();
            try (ResultSet keys = insert.getGeneratedKeys()) {
                if (!keys.next() || keys.getLong(1) == 0) {
                    throw new IllegalStateException("no id");
                }
            }
        }
    }

    @Override
    public long roundTrip() throws SQLException {
        Connection writer = transactions();
        if (reading == null) {
            reading = DriverManager.getConnection(url);
            reading.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            reading.setAutoCommit(false);
        }
        insert(writer, Load.payload(Load.USUAL_BYTES));
        long start = System.nanoTime();
        writer.commit();
        try (PreparedStatement read = reading.prepareStatement(READ)) {
            read.setInt(1, 100);
            try (ResultSet rows = read.executeQuery()) {
                if (!rows.next()) {
                    throw new IllegalStateException("the message is missing");
                }
                long end = System.nanoTime();
                delete(reading, new long[] {rows.getLong(1)});
                reading.commit();
                return end - start;
            }
        }
    }

    @Override
    public Activity activity() throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            return switch (name) {
                case "postgres" ->
                    new Activity(
                            number(statement, "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database"),
                            ServerProcess.cpuSeconds(numbers(statement, "SELECT pid FROM pg_stat_activity")));
                case "h2" -> new Activity(0, Double.NaN); // is in this process
                default ->
                    new Activity(
                            number(
                                    statement,
                                    "SELECT variable_value FROM "
                                            + (name.equals("mysql") ? "performance_schema" : "information_schema")
                                            + ".global_status WHERE variable_name = 'QUESTIONS'"),
                            ServerProcess.cpuSeconds(pid(statement)));
            };
        }
    }

    /** Of a server whose file of that is on this machine. */
    private static List<Long> pid(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT @@pid_file, @@datadir")) {
            row.next();
            return List.of(
                    Long.parseLong(Files.readString(Path.of(row.getString(2)).resolve(row.getString(1)))
                            .trim()));
        } catch (IOException e) {
            return List.of();
        }
    }

    private static long number(Statement statement, String query) throws SQLException {
        return numbers(statement, query).get(0);
    }

    private static List<Long> numbers(Statement statement, String query) throws SQLException {
        List<Long> numbers = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                numbers.add(rows.getLong(1));
            }
        }
        return numbers;
    }

    /** Keeps the server from cleaning up what is deleted from now on, as a long report or a forgotten session does. */
    AutoCloseable holdSnapshot() throws SQLException {
        Connection connection = DriverManager.getConnection(url);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT count(*) FROM outbox_schema");
        }
        return connection;
    }

    @Override
    public void close() {
        // servers end with the process, and with them what is in them
    }
}
