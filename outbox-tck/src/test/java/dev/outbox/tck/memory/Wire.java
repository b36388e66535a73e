package dev.outbox.tck.memory;

import dev.outbox.Browsing.Page;
import dev.outbox.DeadLetter;
import dev.outbox.Holders.Holder;
import dev.outbox.OutgoingMessage;
import dev.outbox.PendingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.spi.Outcome;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How values look between a client and the server. A list is its size and its elements; what may be null comes behind a
 * flag; text is written as UTF-16, which keeps any text there is.
 */
final class Wire {
    /** What a client asks for; every request but {@link #WAKE_UP} has one answer. */
    enum Request {
        CHECKOUT,
        SETTLE,
        RENEW,
        PERSIST,
        WRITE_ROW,
        HAS_ROW,
        COMMIT,
        ROLLBACK,
        BACKLOG,
        FAILING_PARTITIONS,
        RETRY_NOW,
        RETRY_TOPIC_NOW,
        DEAD_LETTER_TOPICS,
        REMOVE_PENDING,
        MOVE_PENDING,
        DEAD_LETTERS,
        DEAD_LETTER,
        REDRIVE,
        DISCARD,
        PENDING,
        PENDING_BY_ID,
        HOLDERS,
        /** Turns the connection round: from now on the server sends a byte after every commit. */
        WAKE_UP
    }

    /** How an answer starts; all but the first are followed by a text. */
    enum Status {
        OK,
        HOLD_LOST,
        MISUSE,
        FAILED
    }

    interface Writer<T> {
        void write(DataOutputStream out, T value) throws IOException;
    }

    interface Reader<T> {
        T read(DataInputStream in) throws IOException;
    }

    private Wire() {}

    static <T> void writeList(DataOutputStream out, Collection<? extends T> values, Writer<T> writer)
            throws IOException {
        out.writeInt(values.size());
        for (T value : values) {
            writer.write(out, value);
        }
    }

    static <T> List<T> readList(DataInputStream in, Reader<T> reader) throws IOException {
        List<T> values = new ArrayList<>();
        for (int i = in.readInt(); i > 0; i--) {
            values.add(reader.read(in));
        }
        return values;
    }

    static <T> void writeNullable(DataOutputStream out, @Nullable T value, Writer<T> writer) throws IOException {
        out.writeBoolean(value != null);
        if (value != null) {
            writer.write(out, value);
        }
    }

    static <T> @Nullable T readNullable(DataInputStream in, Reader<T> reader) throws IOException {
        return in.readBoolean() ? reader.read(in) : null;
    }

    static void writeText(DataOutputStream out, String text) throws IOException {
        out.writeInt(text.length());
        out.writeChars(text);
    }

    static String readText(DataInputStream in) throws IOException {
        char[] text = new char[in.readInt()];
        for (int i = 0; i < text.length; i++) {
            text[i] = in.readChar();
        }
        return new String(text);
    }

    static void writeBytes(DataOutputStream out, byte[] bytes) throws IOException {
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static byte[] readBytes(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return bytes;
    }

    static void writeInstant(DataOutputStream out, Instant instant) throws IOException {
        out.writeLong(instant.getEpochSecond());
        out.writeInt(instant.getNano());
    }

    static Instant readInstant(DataInputStream in) throws IOException {
        return Instant.ofEpochSecond(in.readLong(), in.readInt());
    }

    static void writeDuration(DataOutputStream out, Duration duration) throws IOException {
        out.writeLong(duration.getSeconds());
        out.writeInt(duration.getNano());
    }

    static Duration readDuration(DataInputStream in) throws IOException {
        return Duration.ofSeconds(in.readLong(), in.readInt());
    }

    static void writeHeaders(DataOutputStream out, Map<String, String> headers) throws IOException {
        out.writeInt(headers.size());
        for (Map.Entry<String, String> header : headers.entrySet()) {
            writeText(out, header.getKey());
            writeText(out, header.getValue());
        }
    }

    static Map<String, String> readHeaders(DataInputStream in) throws IOException {
        Map<String, String> headers = new LinkedHashMap<>();
        for (int i = in.readInt(); i > 0; i--) {
            headers.put(readText(in), readText(in));
        }
        return headers;
    }

    static void writeOutgoing(DataOutputStream out, OutgoingMessage message) throws IOException {
        writeText(out, message.id());
        writeText(out, message.topic());
        out.writeInt(message.partition());
        writeNullable(out, message.key(), Wire::writeText);
        writeHeaders(out, message.headers());
        writeBytes(out, message.payload());
    }

    static OutgoingMessage readOutgoing(DataInputStream in) throws IOException {
        return new OutgoingMessage(
                readText(in),
                readText(in),
                in.readInt(),
                readNullable(in, Wire::readText),
                readHeaders(in),
                readBytes(in));
    }

    /** Field by field: what a broken store makes of a message need not be one that may be persisted. */
    static void writePersisted(DataOutputStream out, PersistedMessage message) throws IOException {
        writeText(out, message.id());
        writeText(out, message.topic());
        out.writeInt(message.partition());
        writeNullable(out, message.key(), Wire::writeText);
        writeHeaders(out, message.headers());
        writeBytes(out, message.payload());
        out.writeInt(message.attempts());
        writeInstant(out, message.createdAt());
    }

    static PersistedMessage readPersisted(DataInputStream in) throws IOException {
        return new PersistedMessage(
                readText(in),
                readText(in),
                in.readInt(),
                readNullable(in, Wire::readText),
                Collections.unmodifiableMap(readHeaders(in)),
                readBytes(in),
                in.readInt(),
                readInstant(in));
    }

    static void writeDeadLetter(DataOutputStream out, DeadLetter letter) throws IOException {
        writePersisted(out, letter.message());
        writeText(out, letter.reason());
        writeInstant(out, letter.diedAt());
    }

    static DeadLetter readDeadLetter(DataInputStream in) throws IOException {
        return new DeadLetter(readPersisted(in), readText(in), readInstant(in));
    }

    static void writePending(DataOutputStream out, PendingMessage pending) throws IOException {
        writePersisted(out, pending.message());
        writeNullable(out, pending.reason(), Wire::writeText);
        writeNullable(out, pending.nextAttempt(), Wire::writeInstant);
    }

    static PendingMessage readPending(DataInputStream in) throws IOException {
        return new PendingMessage(
                readPersisted(in), readNullable(in, Wire::readText), readNullable(in, Wire::readInstant));
    }

    static void writePage(DataOutputStream out, Page page) throws IOException {
        writeList(out, page.messages(), Wire::writePending);
        writeNullable(out, page.next(), Wire::writeText);
    }

    static Page readPage(DataInputStream in) throws IOException {
        return new Page(readList(in, Wire::readPending), readNullable(in, Wire::readText));
    }

    static void writeHolder(DataOutputStream out, Holder holder) throws IOException {
        writeText(out, holder.topic());
        out.writeInt(holder.partition());
        writeText(out, holder.owner());
        writeNullable(out, holder.since(), Wire::writeInstant);
        writeNullable(out, holder.until(), Wire::writeInstant);
    }

    static Holder readHolder(DataInputStream in) throws IOException {
        return new Holder(
                readText(in),
                in.readInt(),
                readText(in),
                readNullable(in, Wire::readInstant),
                readNullable(in, Wire::readInstant));
    }

    static void writeOutcome(DataOutputStream out, Outcome outcome) throws IOException {
        writePersisted(out, outcome.message());
        if (outcome instanceof Outcome.Published published) {
            out.writeByte(0);
            writeNullable(out, published.publishId(), Wire::writeText);
        } else if (outcome instanceof Outcome.Failed failed) {
            out.writeByte(1);
            writeText(out, failed.reason());
            writeDuration(out, failed.retryAfter());
        } else if (outcome instanceof Outcome.DeadLettered dead) {
            out.writeByte(2);
            writeText(out, dead.reason());
        }
    }

    static Outcome readOutcome(DataInputStream in) throws IOException {
        PersistedMessage message = readPersisted(in);
        return switch (in.readByte()) {
            case 0 -> new Outcome.Published(message, readNullable(in, Wire::readText));
            case 1 -> new Outcome.Failed(message, readText(in), readDuration(in));
            case 2 -> new Outcome.DeadLettered(message, readText(in));
            default -> throw new IOException("Not an outcome; client and server differ.");
        };
    }
}
