package dev.outbox.store.redis;

import dev.outbox.DeadLetter;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An entry of a stream: a message, or a dead letter. Its fields have names of one letter, because Redis stores them with
 * every entry whose fields are not those of the one before: {@code i} the id, {@code k} the key if there is one, {@code h}
 * headers if there are any, {@code p} the payload; of those that died once, {@code c} when they were persisted first; and
 * of dead letters {@code q} the partition, {@code a} the attempts and {@code r} the reason.
 *
 * @param position its id in the stream: when it was written, in ms by the server's clock, and a number
 */
@SuppressWarnings("ArrayRecordComponent") // bytes as they came
record Entry(
        String position,
        byte[] id,
        byte @Nullable [] key,
        byte @Nullable [] headers,
        byte[] payload,
        @Nullable String created,
        @Nullable String partition,
        @Nullable String attempts,
        @Nullable String reason) {
    private static final byte[] NONE = {};

    /** The arguments behind {@code XADD}. */
    static byte[][] arguments(byte[] stream, byte[] id, OutgoingMessage message) {
        List<byte[]> arguments = new ArrayList<>(10);
        arguments.add(stream);
        arguments.add(new byte[] {'*'});
        add(arguments, 'i', id);
        String key = message.key();
        if (key != null) {
            add(arguments, 'k', Place.bytes(key));
        }
        if (!message.headers().isEmpty()) {
            add(arguments, 'h', Headers.write(message.headers()));
        }
        add(arguments, 'p', message.payload());
        return arguments.toArray(byte[][]::new);
    }

    private static void add(List<byte[]> arguments, char name, byte[] value) {
        arguments.add(new byte[] {(byte) name});
        arguments.add(value);
    }

    /** As a server returned it. What others may have written to the stream is read as far as it goes, and never blocks it. */
    static Entry of(Object reply) {
        List<Object> parts = Reply.list(reply);
        String position = Reply.text(parts.get(0));
        byte[] id = Place.bytes(position);
        byte[] key = null;
        byte[] headers = null;
        byte[] payload = NONE;
        String created = null;
        String partition = null;
        String attempts = null;
        String reason = null;
        List<Object> fields = Reply.list(parts.get(1));
        for (int i = 0; i < fields.size(); i += 2) {
            byte[] name = Reply.bytes(fields.get(i));
            byte[] value = Reply.bytes(fields.get(i + 1));
            switch (name.length == 1 ? name[0] : 0) {
                case 'i' -> id = value;
                case 'k' -> key = value;
                case 'h' -> headers = value;
                case 'p' -> payload = value;
                case 'c' -> created = Reply.text(value);
                case 'q' -> partition = Reply.text(value);
                case 'a' -> attempts = Reply.text(value);
                case 'r' -> reason = Reply.text(value);
                default -> {}
            }
        }
        return new Entry(position, id, key, headers, payload, created, partition, attempts, reason);
    }

    PersistedMessage message(Partition of, int failedBefore) {
        return new PersistedMessage(
                MessageId.shown(id),
                of.topic(),
                of.number(),
                key == null ? null : Reply.text(key),
                headers == null ? Map.of() : Headers.read(headers),
                payload,
                failedBefore,
                created == null ? written() : Instant.ofEpochMilli(Long.parseLong(created)));
    }

    DeadLetter letter(String topic) {
        Partition of = new Partition(topic, partition == null ? 0 : Integer.parseInt(partition));
        return new DeadLetter(
                message(of, attempts == null ? 1 : Integer.parseInt(attempts)),
                reason == null ? "" : reason,
                written());
    }

    private Instant written() {
        return Instant.ofEpochMilli(Long.parseLong(position.substring(0, position.indexOf('-'))));
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
