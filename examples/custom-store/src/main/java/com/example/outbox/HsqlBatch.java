package com.example.outbox;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.spi.BatchOutcomes;
import dev.outbox.spi.Outcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Messages of partitions whose rows have this batch's token. */
final class HsqlBatch implements MessageBatch {
    private final HsqlStore store;
    private final String token;
    private final List<Partition> partitions;
    private final BatchOutcomes outcomes;
    private volatile long heldUntil;
    private volatile boolean lost;

    HsqlBatch(
            HsqlStore store, String token, long asked, List<Partition> partitions, List<PersistedMessage> messages) {
        this.store = store;
        this.token = token;
        this.partitions = partitions;
        this.outcomes = new BatchOutcomes(messages);
        this.heldUntil = asked + store.lease().toNanos();
    }

    @Override
    public List<PersistedMessage> messages() {
        return outcomes.messages();
    }

    @Override
    public boolean isHeld() {
        return outcomes.isOpen() && !lost && heldUntil - System.nanoTime() > 0;
    }

    @Override
    public void markPublished(PersistedMessage message, String publishId) {
        outcomes.published(message, publishId);
    }

    @Override
    public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
        outcomes.failed(message, reason, retryAfter);
    }

    @Override
    public void deadLetter(PersistedMessage message, String reason) {
        outcomes.deadLettered(message, reason);
    }

    /** Called every quarter of a lease. One that has run out stays so: its partitions may be taken already. */
    void renew() {
        long asked = System.nanoTime();
        try (Connection connection = store.connect();
                PreparedStatement update = connection.prepareStatement(
                        "UPDATE outbox_partition SET held_until = UNIX_MILLIS() + ?"
                                + " WHERE token = ? AND held_until > UNIX_MILLIS()")) {
            update.setLong(1, store.lease().toMillis());
            update.setString(2, token);
            if (update.executeUpdate() == partitions.size()) {
                heldUntil = asked + store.lease().toNanos();
            } else {
                lost = true;
            }
        } catch (SQLException e) {
            // Try again; if that goes on, the lease runs out, and isHeld says so.
        }
    }

    /** The store is closed, so others may have the messages immediately. */
    void abandon() {
        lost = true;
        store.forget(this);
        try (Connection connection = store.connect()) {
            freeAll(connection);
        } catch (SQLException e) {
            // Then they have them when the lease runs out.
        }
    }

    @Override
    public void close() {
        if (!outcomes.close()) {
            return;
        }
        store.forget(this);
        if (partitions.isEmpty()) {
            return;
        }
        if (lost) {
            throw lost();
        }
        try (Connection connection = store.connect()) {
            connection.setAutoCommit(false);
            // Our tokens are gone, and their rows locked until we commit, before anything is written. So the next
            // holder of the partitions sees all of this batch done. If a lease ran out, nothing is done at all.
            if (freeAll(connection) != partitions.size()) {
                connection.rollback();
                throw lost();
            }
            apply(connection);
            connection.commit();
            connection.setAutoCommit(true);
        } catch (SQLException e) {
            throw new StoreException("Closing the batch failed: " + e.getMessage(), e);
        }
    }

    private int freeAll(Connection connection) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE outbox_partition SET token = NULL, held_until = 0"
                        + " WHERE token = ? AND held_until > UNIX_MILLIS()")) {
            update.setString(1, token);
            return update.executeUpdate();
        }
    }

    private void apply(Connection connection) throws SQLException {
        Map<Partition, Duration> delays = new HashMap<>();
        for (Outcome outcome : outcomes.applicable()) {
            PersistedMessage message = outcome.message();
            String id = message.id();
            if (outcome instanceof Outcome.Failed failed) {
                execute(connection, "UPDATE outbox_message SET attempts = attempts + 1 WHERE id = ?", id);
                delays.merge(
                        new Partition(message.topic(), message.partition()),
                        failed.retryAfter(),
                        (one, other) -> one.compareTo(other) > 0 ? one : other);
            } else {
                if (outcome instanceof Outcome.DeadLettered dead) {
                    execute(
                            connection,
                            "INSERT INTO outbox_dead_letter SELECT position, id, topic, part, msg_key, headers, payload,"
                                    + " attempts + 1, created_at, CAST(? AS VARCHAR(1000))"
                                    + " FROM outbox_message WHERE id = ?",
                            dead.reason().substring(0, Math.min(1000, dead.reason().length())),
                            id);
                }
                execute(connection, "DELETE FROM outbox_message WHERE id = ?", id);
            }
        }
        for (Map.Entry<Partition, Duration> delay : delays.entrySet()) {
            execute(
                    connection,
                    "UPDATE outbox_partition SET ready_at = UNIX_MILLIS() + ? WHERE topic = ? AND part = ?",
                    delay.getValue().plusNanos(999_999).toMillis(), // never too early
                    delay.getKey().topic(),
                    delay.getKey().number());
        }
    }

    private static void execute(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            statement.executeUpdate();
        }
    }

    private static HoldLostException lost() {
        return new HoldLostException("The lease of this batch ended before it was closed; its messages come again.");
    }
}
