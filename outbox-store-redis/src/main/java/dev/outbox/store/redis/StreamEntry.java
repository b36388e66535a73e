package dev.outbox.store.redis;

import dev.outbox.DeadLetter;
import dev.outbox.PersistedMessage;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An entry of a stream: a message, or a dead letter. The name of its first field is the {@link EntryHeader} of the
 * message, and its value is the payload: a read returns no more parts than it must, which is most of what it costs.
 * Further fields have names of one letter. Of messages that were dead letters, {@code c} is when they were first
 * persisted. Of dead letters, {@code q} is the partition, {@code a} the attempts and {@code r} the reason.
 *
 * @param position its id in the stream: when it was written, in ms by the server's clock, and a number
 * @param more the fields after the first, names and values in turn
 */
@SuppressWarnings("ArrayRecordComponent") // bytes as they came
record StreamEntry(byte[] position, byte[] header, byte[] payload, List<Object> more) {
    /** An entry as a server returned it. Any client may have written it: see {@link #problem}. */
    static StreamEntry of(Object reply) {
        List<Object> parts = Reply.list(reply);
        List<Object> fields = Reply.list(parts.get(1));
        return new StreamEntry(
                Reply.bytes(parts.get(0)),
                Reply.bytes(fields.get(0)),
                Reply.bytes(fields.get(1)),
                fields.size() == 2 ? List.of() : fields.subList(2, fields.size()));
    }

    /** An entry as the script for failing messages returns it: position, header, and the fields after the first. */
    static StreamEntry withoutPayload(List<Object> parts) {
        return new StreamEntry(
                Reply.bytes(parts.get(0)), Reply.bytes(parts.get(1)), new byte[0], parts.subList(2, parts.size()));
    }

    /**
     * Why it cannot be handed out as a message, or null if it can. What was not written by the outbox, or not as it is,
     * is no message: read as far as it goes, it would be published as something that nobody ever committed.
     */
    @Nullable
    String problem() {
        if (EntryHeader.isPlain(header) && more.isEmpty()) {
            return null;
        }
        String problem = EntryHeader.problem(header);
        if (problem != null) {
            return problem;
        }
        for (int i = 0; i < more.size(); i += 2) {
            String name = Reply.text(more.get(i));
            if (!name.equals("c")) {
                return "it has a field '" + name + "', which no message has";
            }
            String created = Reply.text(more.get(i + 1));
            if (!created.matches("[0-9]{1,15}")) {
                return "its field c is to be a time in milliseconds, and is '" + created + "'";
            }
        }
        return more.size() > 2 ? "it has its field c more than once" : null;
    }

    /** What it is called when it cannot be handed out. */
    String shown() {
        return MessageId.shown(id());
    }

    PersistedMessage message(Partition of, int failedBefore) {
        EntryHeader read = EntryHeader.read(header, position);
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
        return (long) header.length + payload.length;
    }

    /** The id of the message as it is stored. */
    byte[] id() {
        return EntryHeader.id(header, position);
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

    /** The lowest position after another. */
    static String behind(String position) {
        int dash = position.indexOf('-');
        long number = Long.parseUnsignedLong(position.substring(dash + 1));
        return number == -1L
                ? Long.parseUnsignedLong(position.substring(0, dash)) + 1 + "-0"
                : position.substring(0, dash + 1) + Long.toUnsignedString(number + 1);
    }
}
