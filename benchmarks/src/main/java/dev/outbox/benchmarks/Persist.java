package dev.outbox.benchmarks;

import org.jspecify.annotations.Nullable;

/** Writing transactions of so many messages each. */
final class Persist implements Contest.Side {
    private final Backend backend;
    private final int messages;
    private final byte[] payload = Load.payload(Load.USUAL_BYTES);
    private Backend.@Nullable Writer writer;

    Persist(Backend backend, int messages) {
        this.backend = backend;
        this.messages = messages;
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
            writer = backend.writer();
        }
    }

    @Override
    public void run(int some) throws Exception {
        if (writer == null) {
            throw new IllegalStateException("not prepared");
        }
        write(writer, some / messages, messages, payload);
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
                writer.publish(payload);
            }
            writer.commit();
        }
    }
}
