package dev.outbox.tck.internal.explore;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What the model knows of a message. */
final class ModelMessage {
    /** Where it is. */
    enum State {
        WRITTEN,
        ROLLED_BACK,
        PENDING,
        PUBLISHED,
        DEAD,
        DISCARDED,
        REMOVED
    }

    final OutgoingMessage sent;
    ModelPartition partition;
    State state = State.WRITTEN;

    /** The transaction, the redrive or the move that it was written by, within which the order is known. */
    Object group;

    /** Its place in the group. */
    int serial;

    /** When it was written, and when that was committed, by the model's clock, which counts events. */
    long written;

    long committed = Long.MAX_VALUE;

    int attempts;
    String reason = "";

    /** The close by which it died. */
    long died;

    boolean redriven;

    /** Whether it was moved here from another topic. */
    boolean moved;

    /** As it was seen first. */
    @Nullable
    Instant createdAt;

    /** Whether a batch had it since it was written. */
    boolean seen;

    /** Whether it was committed late and has not come since. */
    boolean late;

    /** Until when it may be missing, because later positions were handed out before its commit (OBX-TX-4). */
    long mayBeMissingUntil;

    @Nullable
    ModelBatch holder;

    /** How large it is at most. */
    final long bytes;

    ModelMessage(OutgoingMessage sent, ModelPartition partition, Object group, int serial, long written) {
        this.sent = sent;
        this.partition = partition;
        this.group = group;
        this.serial = serial;
        this.written = written;
        this.mayBeMissingUntil = System.nanoTime();
        this.bytes = bytes(sent);
    }

    boolean mayBeMissing(long now) {
        return now - mayBeMissingUntil < 0;
    }

    /** Whether it comes before another of its partition in any case. */
    boolean isSurelyBefore(ModelMessage other) {
        return group == other.group ? serial < other.serial : committed < other.written;
    }

    /** Whether it has to be in a batch that has its partition and room. */
    boolean isDue(long now) {
        return holder == null && !mayBeMissing(now);
    }

    private static long bytes(OutgoingMessage message) {
        long characters = message.key() == null ? 0 : message.key().length();
        for (Map.Entry<String, String> each : message.headers().entrySet()) {
            characters += each.getKey().length() + each.getValue().length();
        }
        return message.payload().length + 4 * characters;
    }

    /** What is different in a message that came, or null if it is as it was written. */
    @Nullable
    String differenceTo(PersistedMessage came) {
        if (!came.topic().equals(partition.topic) || came.partition() != partition.number) {
            return "it came in " + came.topic() + "/" + came.partition();
        }
        if (!Arrays.equals(came.payload(), sent.payload())) {
            return "its payload is another";
        }
        if (!Objects.equals(came.key(), sent.key())) {
            return "its key is '" + came.key() + "', not '" + sent.key() + "'";
        }
        return came.headers().equals(sent.headers()) ? null : "its headers are " + came.headers();
    }

    /** What has changed of its time since it was seen first, or null. */
    @Nullable
    String changeOfTime(PersistedMessage came) {
        Instant first = createdAt;
        createdAt = came.createdAt();
        return first == null || first.equals(createdAt) ? null : "it was created at " + first + ", now at " + createdAt;
    }

    @Override
    public String toString() {
        return partition + " " + sent.id().substring(24) + (attempts == 0 ? "" : " with " + attempts + " attempts");
    }
}
