package dev.outbox.store.jooq.internal.operations;

import static java.util.Objects.requireNonNull;

import dev.outbox.DeadLetter;
import dev.outbox.Holders.Holder;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.OutboxException;
import dev.outbox.PersistedMessage;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.connection.ReadOnly;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.ListingQuery;
import dev.outbox.store.jooq.internal.dialect.RowReader;
import dev.outbox.store.jooq.internal.dialect.UnreadableRow;
import dev.outbox.store.jooq.internal.opening.Rehearsal;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import dev.outbox.store.support.StoreOperations;
import dev.outbox.store.support.Surroundings;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** {@link Operations} by plain statements. What may be many is done in parts, each a transaction of its own. */
public final class JdbcOperations implements StoreOperations {
    /** A UUID as it is usually written, or a number. */
    private static final Pattern ID =
            Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[1-9][0-9]{0,18}");

    private static final int UUID_LENGTH = 36;

    /** Partitions, or ids of dead letters, that one transaction looks at. */
    private static final int AT_A_TIME = 500;

    /**
     * Ids of the first part of a redrive. A database may have to read a payload to say how large it is, so a part asks
     * for few, and the next one for twice as many as could be done.
     */
    private static final int FIRST_REDRIVEN = 16;

    /** Bytes of payloads that are put back in one transaction, if it is more than one letter. */
    private static final long BYTES_AT_A_TIME = 32 << 20;

    /** A discard reads no payload, so payloads may have any size. */
    private static final String NO_BYTES = "0";

    /**
     * The least character that the name of a topic can have. The names after a topic begin with the topic and this
     * character. A blank would not do, because MySQL ignores trailing blanks when it compares.
     */
    private static final String LEAST = "!";

    private static final String PUT_BACK = """
            INSERT INTO outbox_message
                (topic, partition_no, message_key, headers, payload, created_at, message_id, original_id)
            SELECT topic, partition_no, message_key, headers, payload, created_at, ?, ?
            FROM outbox_dead_letter
            WHERE id = ?
            """;

    private final Connections connections;
    private final Dialect dialect;
    private final Surroundings<Connection, SQLException> surroundings;
    private final String deadLetter;

    public JdbcOperations(
            Connections connections, Dialect dialect, Surroundings<Connection, SQLException> surroundings) {
        this.connections = connections;
        this.surroundings = surroundings;
        this.dialect = dialect;
        this.deadLetter = """
                SELECT id, message_id, topic, partition_no, reason, %s, message_key, headers, payload, attempts, %s
                FROM outbox_dead_letter
                WHERE\s""".formatted(dialect.time("died_at"), dialect.time("created_at"));
    }

    @Override
    public List<Backlog> backlog() {
        return inTransaction("Asking for the backlog", this::backlog).stream()
                .filter(partition -> !partition.topic().equals(Rehearsal.TOPIC))
                .toList();
    }

    /** If messages are hidden, a backlog of none would be the worst answer. */
    private List<Backlog> backlog(Connection connection) throws SQLException {
        surroundings.requireNow(connection);
        return dialect.backlog(connection);
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        return inTransaction("Asking for failing partitions", connection -> failing(connection, "", statement -> {}));
    }

    @Override
    public List<FailingPartition> failingPartitions(String topic, SortedSet<Integer> partitions) {
        String these = " AND p.topic = ? AND p.partition_no >= ? AND p.partition_no <= ?";
        return inTransaction(
                "Asking for failing partitions of a topic",
                connection -> failing(connection, these, statement -> {
                    statement.setString(1, topic);
                    statement.setInt(2, partitions.first());
                    statement.setInt(3, partitions.last());
                }));
    }

    private List<FailingPartition> failing(Connection connection, String these, Parameters parameters)
            throws SQLException {
        String sql = """
                SELECT p.topic, p.partition_no, m.message_id, m.original_id, p.failing_id, coalesce(m.attempts, 1),
                    p.reason, %s
                FROM outbox_partition p LEFT JOIN outbox_message m ON m.id = p.failing_id
                WHERE p.failing_id IS NOT NULL AND %s%s
                ORDER BY p.topic, p.partition_no
                """.formatted(dialect.time("p.retry_at"), failsStill(), these);
        List<FailingPartition> failing = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
            parameters.set(statement);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    failing.add(new FailingPartition(
                            rows.getString(1),
                            rows.getInt(2),
                            RowReader.id(rows.getString(3), rows.getLong(4), rows.getLong(5)),
                            rows.getInt(6),
                            rows.getString(7),
                            dialect.instant(rows, 8)));
                }
            }
        }
        return failing;
    }

    /** If messages are hidden, a page of none would be the worst answer. */
    @Override
    public Listing listing(String topic, int first, int last) {
        return (after, limit, bytes) -> inTransaction("Listing messages", connection -> {
            surroundings.requireNow(connection);
            return ListingQuery.read(connection, dialect, topic, after, last, limit, bytes);
        });
    }

    /**
     * A message of an older library has no other id than its number, and is found by it. If that library has redriven
     * it, it is not found, because there is no index for the id that it had before. Sorting is left to this side. To
     * spare it, a database may walk through the table by its primary key.
     */
    @Override
    public Optional<PersistedMessage> pending(String id) {
        if (!isId(id)) {
            return Optional.empty();
        }
        long number = number(id);
        String select = ListingQuery.selectWhole(dialect);
        return inTransaction("Finding a message", connection -> {
            surroundings.requireNow(connection);
            List<Placed> found = new ArrayList<>();
            try (PreparedStatement statement = connection.prepareStatement(dialect.sql(select + "m.message_id = ?"))) {
                statement.setString(1, id);
                ListingQuery.add(statement, dialect, found);
            }
            if (number != 0 && found.isEmpty()) {
                String byNumber = select + "m.id = ? AND m.message_id IS NULL"
                        + " AND coalesce(m.original_id, 0) IN (0, m.id)"; // else that is its id
                try (PreparedStatement statement = connection.prepareStatement(dialect.sql(byNumber))) {
                    statement.setLong(1, number);
                    ListingQuery.add(statement, dialect, found);
                }
            }
            return found.stream().min(Comparator.comparing(Placed::place)).map(Placed::message);
        });
    }

    @Override
    public List<Holder> holders() {
        String query = requireNonNull(dialect.holders());
        return inTransaction("Asking who holds partitions", connection -> {
            List<Holder> holders = new ArrayList<>();
            try (PreparedStatement statement = connection.prepareStatement(dialect.sql(query));
                    ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    rows.getObject(4);
                    Instant since = rows.wasNull() ? null : dialect.instant(rows, 4);
                    holders.add(new Holder(rows.getString(1), rows.getInt(2), rows.getString(3), since, null));
                }
            }
            return holders;
        });
    }

    /** An operator may have deleted the row of the message. Its delay then ends by itself, and nothing fails. */
    private String failsStill() {
        return "(EXISTS (SELECT 1 FROM outbox_message f WHERE f.id = p.failing_id) OR p.retry_at > %s)"
                .formatted(dialect.now());
    }

    /** A locked row belongs to a batch that tries the message now. So this neither waits for it nor changes it. */
    @Override
    public boolean retryNow(String topic, int partition) {
        return inTransaction("Ending the delay of a partition", connection -> {
            String row =
                    " FROM outbox_partition p WHERE p.topic = ? AND p.partition_no = ? AND p.failing_id IS NOT NULL";
            if (!exists(connection, "SELECT p.id" + row + " AND " + failsStill(), topic, partition)) {
                return false;
            }
            if (exists(connection, "SELECT p.id" + row + " FOR UPDATE SKIP LOCKED", topic, partition)) {
                try (PreparedStatement statement = connection.prepareStatement(
                        dialect.sql("UPDATE outbox_partition SET retry_at = %s WHERE topic = ? AND partition_no = ?"
                                .formatted(dialect.now())))) {
                    statement.setString(1, topic);
                    statement.setInt(2, partition);
                    statement.executeUpdate();
                }
            }
            return true;
        });
    }

    /** Works in parts. Each part is a transaction. */
    @Override
    public int retryNow(String topic) {
        int failing = 0;
        Part part = new Part(0, -1);
        do {
            int behind = part.last();
            part = inTransaction("Ending the delays of a topic", connection -> retry(connection, topic, behind));
            failing += part.failing();
        } while (part.failing() == AT_A_TIME);
        return failing;
    }

    /** Some failing partitions: how many, and the number of the last. */
    private record Part(int failing, int last) {}

    private Part retry(Connection connection, String topic, int behind) throws SQLException {
        String rows = """
                FROM outbox_partition p
                WHERE p.topic = ? AND p.partition_no > ? AND p.partition_no <= ? AND p.failing_id IS NOT NULL
                """;
        String failingRows = """
                SELECT p.partition_no %s AND %s
                ORDER BY p.topic, p.partition_no %s
                """.formatted(rows, failsStill(), dialect.limit("" + AT_A_TIME));
        int failing = 0;
        int last = behind;
        try (PreparedStatement find = connection.prepareStatement(dialect.sql(failingRows))) {
            setRange(find, topic, behind, Integer.MAX_VALUE);
            try (ResultSet found = find.executeQuery()) {
                while (found.next()) {
                    failing++;
                    last = found.getInt(1);
                }
            }
        }
        if (failing > 0) {
            List<Long> locked = new ArrayList<>();
            try (PreparedStatement lock =
                    connection.prepareStatement(dialect.sql("SELECT p.id " + rows + "FOR UPDATE SKIP LOCKED"))) {
                setRange(lock, topic, behind, last);
                try (ResultSet found = lock.executeQuery()) {
                    while (found.next()) {
                        locked.add(found.getLong(1));
                    }
                }
            }
            update(connection, "UPDATE outbox_partition SET retry_at = " + dialect.now(), locked);
        }
        return new Part(failing, last);
    }

    private static void setRange(PreparedStatement statement, String topic, int behind, int last) throws SQLException {
        statement.setString(1, topic);
        statement.setInt(2, behind);
        statement.setInt(3, last);
    }

    /**
     * Jumps from topic to topic in the index that dead letters are listed by, and reads at most {@link
     * Backlog#EXACT_UP_TO} entries of each.
     */
    @Override
    public List<DeadLetterTopic> deadLetterTopics() {
        String oldest = "ORDER BY d.topic, d.died_at, d.id " + dialect.limit("1");
        String newest = "ORDER BY d.topic DESC, d.died_at DESC, d.id DESC " + dialect.limit("1");
        String nextTopic = "SELECT d.topic FROM outbox_dead_letter d WHERE d.topic >= ? " + oldest;
        String ofTopic =
                """
                SELECT
                    (SELECT count(*) FROM (SELECT d.id FROM outbox_dead_letter d WHERE d.topic = ? %1$s) c),
                    (SELECT %2$s FROM outbox_dead_letter d WHERE d.topic = ? %3$s),
                    (SELECT %2$s FROM outbox_dead_letter d WHERE d.topic = ? %4$s)
                """.formatted(dialect.limit("" + Backlog.EXACT_UP_TO), dialect.time("d.died_at"), oldest, newest);
        return inTransaction("Asking for topics with dead letters", connection -> {
            List<DeadLetterTopic> topics = new ArrayList<>();
            try (PreparedStatement next = connection.prepareStatement(dialect.sql(nextTopic));
                    PreparedStatement look = connection.prepareStatement(dialect.sql(ofTopic))) {
                for (String topic = first(next, ""); topic != null; topic = first(next, topic + LEAST)) {
                    for (int i = 1; i <= 3; i++) {
                        look.setString(i, topic);
                    }
                    try (ResultSet row = look.executeQuery()) {
                        if (row.next() && row.getLong(1) > 0) {
                            topics.add(new DeadLetterTopic(
                                    topic, row.getLong(1), dialect.instant(row, 2), dialect.instant(row, 3)));
                        }
                    }
                }
            }
            return topics;
        });
    }

    private static @Nullable String first(PreparedStatement next, String atLeast) throws SQLException {
        next.setString(1, atLeast);
        try (ResultSet rows = next.executeQuery()) {
            return rows.next() ? rows.getString(1) : null;
        }
    }

    private boolean exists(Connection connection, String sql, String topic, int partition) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
            statement.setString(1, topic);
            statement.setInt(2, partition);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next();
            }
        }
    }

    @Override
    public List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        if (limit < 1) {
            throw new MisuseException("limit is " + limit + "; expected at least 1.");
        }
        return inTransaction("Asking for dead letters", connection -> {
            String page = afterId == null
                    ? ""
                    : " AND (died_at, id) > (SELECT a.died_at, a.id FROM outbox_dead_letter a WHERE a.id = ?)";
            long after = 0;
            if (afterId != null) {
                // Several dead letters may have this id. Pages would repeat if the next one began after the first.
                after = rowIds(connection, afterId, topic).reduce(0, (one, next) -> next);
                if (after == 0) {
                    throw new MisuseException("There is no dead letter " + afterId + " of topic " + topic
                            + " to start behind; it was redriven or discarded. Start again at the first page.");
                }
            }
            try (PreparedStatement statement = connection.prepareStatement(dialect.sql(
                    deadLetter + "topic = ?" + page + " ORDER BY topic, died_at, id " + dialect.limit("?")))) {
                int i = 1;
                statement.setString(i++, topic);
                if (after != 0) {
                    statement.setLong(i++, after);
                }
                statement.setInt(i, limit);
                return read(statement);
            }
        });
    }

    @Override
    public Optional<DeadLetter> deadLetter(String id) {
        return inTransaction("Asking for a dead letter", connection -> {
            OptionalLong first = rowIds(connection, id, null).findFirst();
            if (first.isEmpty()) {
                return Optional.empty();
            }
            try (PreparedStatement statement = connection.prepareStatement(dialect.sql(deadLetter + "id = ?"))) {
                statement.setLong(1, first.getAsLong());
                return read(statement).stream().findFirst();
            }
        });
    }

    /**
     * The row in the outbox is new, so the message is at the end of its partition. It keeps the id that consumers know.
     * Two redrives of one dead letter meet at its lock, and the second finds it gone. Older libraries know only ids
     * that are numbers. They look for them in the column original_id, so such an id is written there, too.
     */
    @Override
    public int redrive(Collection<String> ids) {
        return withLocked(
                "Redriving dead letters", ids, FIRST_REDRIVEN, "octet_length(payload)", (connection, locked) -> {
                    try (PreparedStatement insert = connection.prepareStatement(dialect.sql(PUT_BACK))) {
                        for (Letter letter : locked) {
                            insert.setString(1, letter.id());
                            long number = number(letter.id());
                            if (number == 0) {
                                insert.setNull(2, Types.BIGINT);
                            } else {
                                insert.setLong(2, number);
                            }
                            insert.setLong(3, letter.rowId());
                            insert.executeUpdate();
                        }
                    }
                });
    }

    @Override
    public int discard(Collection<String> ids) {
        return withLocked("Discarding dead letters", ids, AT_A_TIME, NO_BYTES, (connection, locked) -> {});
    }

    /** A dead letter by its row, the id of its message, and the bytes of its payload. */
    private record Letter(long rowId, String id, long bytes) {}

    /** What one transaction has done: dead letters, and how many of the ids that were given. */
    private record Done(int letters, int ids) {}

    /** Does something with the dead letters, in the order given, and deletes them. */
    private int withLocked(String doing, Collection<String> ids, int first, String bytes, Action action) {
        Set<String> possible = new LinkedHashSet<>(ids);
        possible.removeIf(id -> !isId(id));
        List<String> left = List.copyOf(possible);
        int letters = 0;
        int most = first;
        while (!left.isEmpty()) {
            List<String> some = left.subList(0, Math.min(left.size(), most));
            Done done = inTransaction(doing, connection -> withLocked(connection, some, bytes, action));
            letters += done.letters();
            most = Math.min(AT_A_TIME, 2 * done.ids());
            left = left.subList(done.ids(), left.size());
        }
        return letters;
    }

    /**
     * Locks rows one by one and in order, so that two clients cannot wait for each other. With "id IN (…)" MySQL reads
     * a small table from end to end, and locks all rows on its way.
     */
    private Done withLocked(Connection connection, List<String> ids, String payloadBytes, Action action)
            throws SQLException {
        Map<String, List<Letter>> found = find(connection, ids, payloadBytes);
        List<Letter> letters = new ArrayList<>();
        int count = 0;
        for (long bytes = 0; count < ids.size() && bytes < BYTES_AT_A_TIME; count++) {
            for (Letter letter : found.getOrDefault(ids.get(count), List.of())) {
                letters.add(letter);
                bytes += letter.bytes();
            }
        }
        if (letters.isEmpty()) {
            return new Done(0, count);
        }
        Set<Long> locked = new HashSet<>();
        try (PreparedStatement lock =
                connection.prepareStatement(dialect.sql("SELECT id FROM outbox_dead_letter WHERE id = ? FOR UPDATE"))) {
            for (long rowId : rows(letters)) {
                lock.setLong(1, rowId);
                try (ResultSet row = lock.executeQuery()) {
                    if (row.next()) {
                        locked.add(rowId);
                    }
                }
            }
        }
        letters.removeIf(letter -> !locked.contains(letter.rowId()));
        if (!letters.isEmpty()) {
            action.on(connection, letters);
            update(connection, "DELETE FROM outbox_dead_letter", rows(letters));
        }
        return new Done(letters.size(), count);
    }

    private static String parameters(int count) {
        return String.join(", ", Collections.nCopies(count, "?"));
    }

    private static List<Long> rows(List<Letter> letters) {
        return letters.stream().map(Letter::rowId).sorted().toList();
    }

    /** Changes rows by their ids. Each row has a statement of its own, for the reason that {@link #withLocked} has. */
    private void update(Connection connection, String change, List<Long> rows) throws SQLException {
        if (rows.isEmpty()) {
            return;
        }
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(change + " WHERE id = ?"))) {
            for (long rowId : rows) {
                statement.setLong(1, rowId);
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    /**
     * The dead letters of each id. The dead letters that have the id of a message come first. After them come those of
     * an older library, which knew only numbers. Among each, those that died first come first.
     */
    private Map<String, List<Letter>> find(Connection connection, List<String> ids, String payloadBytes)
            throws SQLException {
        Map<String, List<Letter>> found = new HashMap<>();
        String byMessageId = """
                SELECT message_id, id, %s
                FROM outbox_dead_letter
                WHERE message_id IN (%s)
                ORDER BY died_at, id
                """;
        find(connection, ids, byMessageId, payloadBytes, PreparedStatement::setString, found);
        List<String> numbers = ids.stream().filter(id -> number(id) != 0).toList();
        String byNumber = """
                SELECT id, id, %s
                FROM outbox_dead_letter
                WHERE message_id IS NULL AND id IN (%s)
                ORDER BY died_at, id
                """;
        Setter setNumber = (statement, i, id) -> statement.setLong(i, number(id));
        find(connection, numbers, byNumber, payloadBytes, setNumber, found);
        return found;
    }

    private void find(
            Connection connection,
            List<String> ids,
            String query,
            String payloadBytes,
            Setter setter,
            Map<String, List<Letter>> found)
            throws SQLException {
        if (ids.isEmpty()) {
            return;
        }
        String sql = query.formatted(payloadBytes, parameters(ids.size()));
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
            for (int i = 0; i < ids.size(); i++) {
                setter.set(statement, i + 1, ids.get(i));
            }
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    String id = rows.getString(1);
                    found.computeIfAbsent(id, none -> new ArrayList<>())
                            .add(new Letter(rows.getLong(2), id, rows.getLong(3)));
                }
            }
        }
    }

    /**
     * The rows of the dead letters of an id. Those that died first come first. A dead letter of an older library has no
     * other id than its number, and is found by it.
     */
    private LongStream rowIds(Connection connection, String id, @Nullable String topic) throws SQLException {
        LongStream.Builder found = LongStream.builder();
        if (!isId(id)) {
            return found.build();
        }
        long number = number(id);
        String sql = "SELECT id FROM outbox_dead_letter WHERE %s%s ORDER BY died_at, id"
                .formatted(
                        number == 0 ? "message_id = ?" : "(message_id = ? OR message_id IS NULL AND id = ?)",
                        topic == null ? "" : " AND topic = ?");
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
            int i = 1;
            statement.setString(i++, id);
            if (number != 0) {
                statement.setLong(i++, number);
            }
            if (topic != null) {
                statement.setString(i, topic);
            }
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    found.add(rows.getLong(1));
                }
            }
        }
        return found.build();
    }

    private List<DeadLetter> read(PreparedStatement statement) throws SQLException {
        List<DeadLetter> letters = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                letters.add(letter(rows));
            }
        }
        return letters;
    }

    /** A dead letter. If its row was spoilt, it says what can be read of it and what cannot. */
    private DeadLetter letter(ResultSet rows) throws SQLException {
        String id = RowReader.id(rows.getString(2), 0, rows.getLong(1));
        String topic = rows.getString(3);
        int partition = rows.getInt(4);
        String reason = rows.getString(5);
        Instant diedAt = dialect.instant(rows, 6);
        try {
            return new DeadLetter(RowReader.message(rows, 7, id, topic, partition, dialect), reason, diedAt);
        } catch (UnreadableRow e) {
            return new DeadLetter(
                    RowReader.readable(rows, 7, id, topic, partition, dialect),
                    reason + " (This row of the dead letters cannot be read: " + e.getMessage() + ".)",
                    diedAt);
        }
    }

    /** Whether a text can be an id. The database is asked only for such texts, so any text is safe. */
    private static boolean isId(String text) {
        return ID.matcher(text).matches();
    }

    /** The number of an id that an older library gave out, or 0 if the id is of another kind. */
    private static long number(String id) {
        try {
            return id.length() == UUID_LENGTH ? 0 : Long.parseLong(id);
        } catch (NumberFormatException e) {
            return 0; // no library gave out such a large number
        }
    }

    private <T> T inTransaction(String doing, Work<T> work) {
        try (BorrowedConnection borrowed = connections.borrow()) {
            return inTransaction(borrowed, doing, work);
        } catch (SQLException e) {
            throw StoreErrors.of(doing, dialect, e);
        } catch (RuntimeException e) {
            throw e instanceof OutboxException ? e : StoreErrors.unexpected(doing, e);
        }
    }

    /** Fails on a standby. It may lag or stand still, and then its answers are not what is true now. */
    private <T> T inTransaction(BorrowedConnection borrowed, String doing, Work<T> work) throws SQLException {
        try {
            borrowed.begin();
            T result = work.on(borrowed.connection());
            borrowed.commit();
            return result;
        } catch (SQLException e) {
            if (dialect.isReadOnly(e)) {
                throw ReadOnly.failure(doing, borrowed, dialect, e);
            }
            throw e;
        } catch (Error e) {
            borrowed.markBroken(); // an answer may not have been read to its end
            throw e;
        }
    }

    @FunctionalInterface
    private interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    @FunctionalInterface
    private interface Parameters {
        void set(PreparedStatement statement) throws SQLException;
    }

    @FunctionalInterface
    private interface Action {
        void on(Connection connection, List<Letter> letters) throws SQLException;
    }

    /** Sets a parameter to an id, as the column that it is compared with has it. */
    @FunctionalInterface
    private interface Setter {
        void set(PreparedStatement statement, int parameter, String id) throws SQLException;
    }
}
