package dev.outbox.store.redis;

import dev.outbox.DeadLetter;
import dev.outbox.PersistedMessage;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An entry of a stream: a message, or a dead letter. Its first field is the message, named by its {@link Label}, with the
 * payload as its value: a read returns no more parts than it must, which is most of what reading costs. Further fields have
 * names of one letter: of those that died once, {@code c}, when they were persisted first, and {@code i}, their id if it is not in the label; of dead letters {@code q} the
 * partition, {@code a} the attempts and {@code r} the reason.
 *
 * @param position its id in the stream: when it was written, in ms by the server's clock, and a number
 * @param more the fields behind the first, names and values in turn
 */
@SuppressWarnings("ArrayRecordComponent") // bytes as they came
record Entry(byte[] position, byte[] label, byte[] payload, List<Object> more) {
    /** As a server returned it. What others may have written to the stream is read as far as it goes, and never blocks it. */
    static Entry of(Object reply) {
        List<Object> parts = Reply.list(reply);
        List<Object> fields = Reply.list(parts.get(1));
        return new Entry(
                Reply.bytes(parts.get(0)),
                Reply.bytes(fields.get(0)),
                Reply.bytes(fields.get(1)),
                fields.size() == 2 ? List.of() : fields.subList(2, fields.size()));
    }

    PersistedMessage message(Partition of, int failedBefore) {
        Label read = Label.read(label, otherId());
        long created = field('c', millis());
        return new PersistedMessage(
                read.id(),
                of.topic(),
                of.number(),
                read.key(),
                read.headers(),
                payload,
                failedBefore,
                Instant.ofEpochMilli(created));
    }

    DeadLetter letter(String topic) {
        Partition of = new Partition(topic, (int) field('q', 0));
        String reason = field('r');
        return new DeadLetter(
                message(of, (int) field('a', 1)), reason == null ? "" : reason, Instant.ofEpochMilli(millis()));
    }

    /** What it weighs in memory, roughly. */
    long bytes() {
        return (long) label.length + payload.length;
    }

    /** The id of the message as it is stored. */
    byte[] id() {
        return Label.id(label, otherId());
    }

    /** What others wrote has its position for an id, and keeps it when it moves. */
    private byte[] otherId() {
        String moved = more.isEmpty() ? null : field('i');
        return moved == null ? position : Place.bytes(moved);
    }

    private long field(char name, long otherwise) {
        if (more.isEmpty()) {
            return otherwise;
        }
        String value = field(name);
        try {
            return value == null ? otherwise : Long.parseLong(value);
        } catch (NumberFormatException e) { // not written by us
            return otherwise;
        }
    }

    private @Nullable String field(char name) {
        for (int i = 0; i + 1 < more.size(); i += 2) {
            byte[] key = Reply.bytes(more.get(i));
            if (key.length == 1 && key[0] == name) {
                return Reply.text(more.get(i + 1));
            }
        }
        return null;
    }

    private long millis() {
        long millis = 0;
        for (int i = 0; i < position.length && position[i] != '-'; i++) {
            millis = 10 * millis + position[i] - '0';
        }
        return millis;
    }

    /** The lowest position behind one. */
    static String behind(String position) {
        int dash = position.indexOf('-');
        long number = Long.parseUnsignedLong(position.substring(dash + 1));
        return number == -1L
                ? Long.parseUnsignedLong(position.substring(0, dash)) + 1 + "-0"
                : position.substring(0, dash + 1) + Long.toUnsignedString(number + 1);
    }
}
