package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Relay;
import dev.outbox.RoundResult;
import dev.outbox.Store;
import dev.outbox.Topic;
import org.jspecify.annotations.Nullable;

/**
 * Draining through the relay, with the bytes as they are and a publisher that does nothing.
 *
 * @param filled how many messages there are
 * @param drained how many of them are taken
 */
record Drain(Backend backend, int limit, int partitions, int filled, int drained) {
    Contest.Side relay() {
        return new Contest.Side() {
            private @Nullable Store store;

            @Override
            public void prepare() throws Exception {
                backend.fill(filled, partitions);
                store = backend.open();
            }

            @Override
            public int run(int parts) {
                return drain(store, drained / parts);
            }

            @Override
            public void tidy() {
                if (store != null) {
                    store.close();
                }
            }
        };
    }

    /** Settles so many messages. */
    int drain(@Nullable Store store, int messages) {
        if (store == null) {
            throw new IllegalStateException("not prepared");
        }
        Topic<byte[]> topic = Topic.builder(Backend.TOPIC, Codecs.bytes())
                .publisher(delivery -> null)
                .build();
        int left = messages;
        try (Relay relay = Relay.builder(store).topic(topic).build()) {
            while (left > 0) {
                RoundResult result = relay.processMessages(Math.min(limit, left));
                if (result.storeError() != null) {
                    throw result.storeError();
                }
                if (result.published() == 0) {
                    throw new IllegalStateException("messages are missing: " + left + " of " + messages);
                }
                left -= result.published();
            }
        }
        return messages;
    }

    Contest.Side byHand() {
        return new Contest.Side() {
            @Override
            public void prepare() throws Exception {
                backend.fill(filled, partitions);
            }

            @Override
            public int run(int parts) throws Exception {
                backend.drainBare(limit, drained / parts);
                return drained / parts;
            }

            @Override
            public void tidy() {}
        };
    }
}
