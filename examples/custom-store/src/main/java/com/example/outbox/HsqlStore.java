package com.example.outbox;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;

/** Batches hold partitions by a lease: a token in the partition's row, until a time by the server's clock. */
final class HsqlStore implements Store {
    private static final int MOST_PARTITIONS = 100;

    private final DataSource dataSource;
    private final Duration lease;
    private final Runnable onClose;
    private final Set<HsqlBatch> open = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService renewals;
    private volatile boolean closed;

    HsqlStore(DataSource dataSource, Duration lease, Runnable onClose) {
        this.dataSource = dataSource;
        this.lease = lease;
        this.onClose = onClose;
        // A thread of its own, so that no publisher can starve it.
        this.renewals = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "hsql-outbox-leases");
            thread.setDaemon(true);
            return thread;
        });
        long pause = lease.toMillis() / 4;
        renewals.scheduleWithFixedDelay(() -> open.forEach(HsqlBatch::renew), pause, pause, TimeUnit.MILLISECONDS);
    }

    Connection connect() throws SQLException {
        return dataSource.getConnection();
    }

    Duration lease() {
        return lease;
    }

    @Override
    public Capabilities capabilities() {
        return Capabilities.all()
                .without(Capability.OPERATIONS, "operators use SQL")
                .without(Capability.BROWSING, "operators use SQL")
                .without(Capability.FINDING, "operators use SQL")
                .without(Capability.HOLDERS, "operators use SQL")
                .without(Capability.WAKE_UP, "HSQLDB tells nobody about commits");
    }

    @Override
    public MessageBatch checkout(Set<String> topics, int limit) {
        if (topics.isEmpty() || limit < 1) {
            throw new MisuseException("Expected at least one topic and a limit of at least 1.");
        }
        if (closed) {
            throw new MisuseException("The store is closed; open another.");
        }
        String token = UUID.randomUUID().toString();
        long asked = System.nanoTime(); // before the lease begins, so that we never think it longer than it is
        try (Connection connection = connect()) {
            addMissing(connection, topics);
            List<Partition> taken = new ArrayList<>();
            for (Partition partition : ready(connection, topics, Math.min(limit, MOST_PARTITIONS))) {
                if (take(connection, partition, token)) {
                    taken.add(partition);
                }
            }
            List<PersistedMessage> messages = new ArrayList<>();
            List<Partition> held = new ArrayList<>();
            int[] shares = shares(connection, taken, limit);
            for (int i = 0; i < shares.length; i++) {
                List<PersistedMessage> read = read(connection, taken.get(i), shares[i]);
                if (read.isEmpty()) {
                    release(connection, taken.get(i), token);
                } else {
                    messages.addAll(read);
                    held.add(taken.get(i));
                }
            }
            HsqlBatch batch = new HsqlBatch(this, token, asked, held, messages);
            if (!held.isEmpty()) {
                open.add(batch);
            }
            if (closed) {
                batch.abandon();
            }
            return batch;
        } catch (SQLException e) {
            // What was taken comes free when its lease, which nobody renews, runs out.
            throw new StoreException("The checkout failed: " + e.getMessage(), e);
        }
    }

    void forget(HsqlBatch batch) {
        open.remove(batch);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            renewals.shutdownNow();
            open.forEach(HsqlBatch::abandon);
            onClose.run();
        }
    }

    /** Persisting cannot add partitions: two open transactions would wait for each other's row. */
    private static void addMissing(Connection connection, Set<String> topics) throws SQLException {
        List<Partition> missing = partitions(
                connection,
                "SELECT DISTINCT topic, part FROM outbox_message m WHERE topic IN (" + marks(topics) + ")"
                        + " AND NOT EXISTS (SELECT 1 FROM outbox_partition p"
                        + " WHERE p.topic = m.topic AND p.part = m.part)",
                topics,
                Integer.MAX_VALUE);
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO outbox_partition (topic, part) VALUES (?, ?)")) {
            for (Partition partition : missing) {
                insert.setString(1, partition.topic());
                insert.setInt(2, partition.number());
                try {
                    insert.executeUpdate();
                } catch (SQLIntegrityConstraintViolationException e) {
                    // Another client was quicker.
                }
            }
        }
    }

    /** Those served longest ago come first, so that they take turns. */
    private static List<Partition> ready(Connection connection, Set<String> topics, int limit) throws SQLException {
        return partitions(
                connection,
                "SELECT topic, part FROM outbox_partition p WHERE topic IN (" + marks(topics) + ")"
                        + " AND held_until <= UNIX_MILLIS() AND ready_at <= UNIX_MILLIS()"
                        + " AND EXISTS (SELECT 1 FROM outbox_message m WHERE m.topic = p.topic AND m.part = p.part)"
                        + " ORDER BY served_at",
                topics,
                limit);
    }

    /** Conditional on the partition being free, and committed before its messages are read. */
    private boolean take(Connection connection, Partition partition, String token) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE outbox_partition SET token = ?, held_until = UNIX_MILLIS() + ?, served_at = UNIX_MILLIS()"
                        + " WHERE topic = ? AND part = ?"
                        + " AND held_until <= UNIX_MILLIS() AND ready_at <= UNIX_MILLIS()")) {
            update.setString(1, token);
            update.setLong(2, lease.toMillis());
            update.setString(3, partition.topic());
            update.setInt(4, partition.number());
            return update.executeUpdate() == 1;
        }
    }

    private static void release(Connection connection, Partition partition, String token) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE outbox_partition SET held_until = 0 WHERE topic = ? AND part = ? AND token = ?")) {
            update.setString(1, partition.topic());
            update.setInt(2, partition.number());
            update.setString(3, token);
            update.executeUpdate();
        }
    }

    /** Deals the places of a batch out among its partitions, one at a time, as far as each has messages. */
    private static int[] shares(Connection connection, List<Partition> partitions, int limit) throws SQLException {
        int[] shares = new int[partitions.size()];
        int[] waiting = new int[partitions.size()];
        for (int i = 0; i < waiting.length; i++) {
            waiting[i] = count(connection, partitions.get(i));
        }
        int left = limit;
        for (boolean dealt = true; dealt && left > 0; ) {
            dealt = false;
            for (int i = 0; i < shares.length && left > 0; i++) {
                if (shares[i] < waiting[i]) {
                    shares[i]++;
                    left--;
                    dealt = true;
                }
            }
        }
        return shares;
    }

    private static int count(Connection connection, Partition partition) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT COUNT(*) FROM outbox_message WHERE topic = ? AND part = ?")) {
            select.setString(1, partition.topic());
            select.setInt(2, partition.number());
            try (ResultSet count = select.executeQuery()) {
                count.next();
                return count.getInt(1);
            }
        }
    }

    /** One statement, so that a message that commits meanwhile comes after all of these, or among them. */
    private static List<PersistedMessage> read(Connection connection, Partition partition, int limit)
            throws SQLException {
        if (limit == 0) {
            return List.of(); // to HSQLDB, LIMIT 0 is no limit
        }
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT id, topic, part, msg_key, headers, payload, attempts, created_at FROM outbox_message"
                        + " WHERE topic = ? AND part = ? ORDER BY topic, part, position LIMIT ?")) {
            select.setString(1, partition.topic());
            select.setInt(2, partition.number());
            select.setInt(3, limit);
            List<PersistedMessage> messages = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    messages.add(new PersistedMessage(
                            row.getString(1),
                            row.getString(2),
                            row.getInt(3),
                            row.getString(4),
                            Headers.decode(row.getBytes(5)),
                            row.getBytes(6),
                            row.getInt(7),
                            Instant.ofEpochMilli(row.getLong(8))));
                }
            }
            return messages;
        }
    }

    private static List<Partition> partitions(Connection connection, String query, Set<String> topics, int limit)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(query + " LIMIT " + limit)) {
            int index = 1;
            for (String topic : topics) {
                select.setString(index++, topic);
            }
            List<Partition> partitions = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    partitions.add(new Partition(row.getString(1), row.getInt(2)));
                }
            }
            return partitions;
        }
    }

    private static String marks(Set<String> topics) {
        return "?, ".repeat(topics.size() - 1) + "?";
    }
}
