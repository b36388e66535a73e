package dev.outbox.benchmarks;

import dev.outbox.OutboxListener;
import dev.outbox.Topic;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Transactions that write a number of messages each, one by one or by one call. */
final class Persist implements Contest.Side {
    private final Backend backend;
    private final int messages;
    private final boolean together;
    private Topic<byte[]> topic = Backend.TOPIC;
    private final byte[] payload = Load.payload(Load.USUAL_BYTES);
    private Backend.@Nullable Writer writer;

    private Persist(Backend backend, int messages, boolean together) {
        this.backend = backend;
        this.messages = messages;
        this.together = together;
    }

    static Persist oneByOne(Backend backend, int messages) {
        return new Persist(backend, messages, false);
    }

    static Persist together(Backend backend, int messages) {
        return new Persist(backend, messages, true);
    }

    /** Has a listener hear of every message. */
    Persist heardBy(OutboxListener listener) {
        topic = topic.toBuilder().listener(listener).build();
        return this;
    }

    static Contest.Side byHand(Backend backend, int messages) {
        return new Contest.Side() {
            private boolean cleared;

            @Override
            public int unit() {
                return messages;
            }

            @Override
            public void prepare(int all) throws Exception {
                if (!cleared) {
                    backend.clear();
                    cleared = true;
                }
            }

            @Override
            public void run(int some) throws Exception {
                backend.persistBare(some / messages, messages);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public int unit() {
        return messages;
    }

    @Override
    public void prepare(int all) throws Exception {
        if (writer == null) {
            backend.clear();
            writer = backend.writer(topic);
        }
    }

    @Override
    public void run(int some) throws Exception {
        if (writer == null) {
            throw new IllegalStateException("not prepared");
        }
        if (together) {
            writeTogether(writer, some / messages, Collections.nCopies(messages, payload));
        } else {
            write(writer, some / messages, messages, payload);
        }
    }

    @Override
    public void close() {
        if (writer != null) {
            writer.close();
        }
    }

    static void write(Backend.Writer writer, int transactions, int messages, byte[] payload) throws Exception {
        for (int t = 0; t < transactions; t++) {
            writer.begin();
            for (int m = 0; m < messages; m++) {
                writer.publisher().publish(payload);
            }
            writer.commit();
        }
    }

    private static void writeTogether(Backend.Writer writer, int transactions, List<byte[]> payloads) throws Exception {
        for (int t = 0; t < transactions; t++) {
            writer.begin();
            writer.publisher().publishAll(payloads);
            writer.commit();
        }
    }
}
