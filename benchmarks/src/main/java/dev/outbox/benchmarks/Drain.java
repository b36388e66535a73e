package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Relay;
import dev.outbox.RoundResult;
import dev.outbox.Store;
import dev.outbox.Topic;
import org.jspecify.annotations.Nullable;

/** Draining through the relay, with the bytes as they are and a publisher that does nothing, by one worker. */
final class Drain implements Contest.Side {
    private final Backend backend;
    private final int limit;
    private final Load load;
    private int left;
    private @Nullable Store store;

    /** @param load what there is before every round, if not more is to be drained in it */
    Drain(Backend backend, int limit, Load load) {
        this.backend = backend;
        this.limit = limit;
        this.load = load;
    }

    /** The same by hand, from one partition. */
    static Contest.Side byHand(Backend backend, int limit) {
        return new Contest.Side() {
            @Override
            public int unit() {
                return limit;
            }

            @Override
            public void prepare(int messages) throws Exception {
                backend.fill(Load.of(messages));
            }

            @Override
            public void run(int messages) throws Exception {
                backend.drainBare(limit, messages);
            }

            @Override
            public void tidy() {}
        };
    }

    @Override
    public int unit() {
        return limit;
    }

    /** What was left over by the round before is used up, as long as there is enough. */
    @Override
    public void prepare(int messages) throws Exception {
        if (left < Math.max(messages, load.messages() / 2)) {
            left = Math.max(messages, load.messages());
            backend.fill(load.ofMessages(left));
        }
        store = backend.open(1);
    }

    @Override
    public void run(int messages) {
        if (store == null) {
            throw new IllegalStateException("not prepared");
        }
        drain(store, load, limit, messages);
        left -= messages;
    }

    @Override
    public void tidy() {
        if (store != null) {
            store.close();
        }
    }

    /** Settles so many messages. */
    static void drain(Store store, Load load, int limit, int messages) {
        Relay.Builder builder = Relay.builder(store);
        for (String topic : load.topicNames()) {
            builder.topic(Topic.builder(topic, Codecs.bytes())
                    .publisher(delivery -> null)
                    .build());
        }
        int left = messages;
        try (Relay relay = builder.build()) {
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
    }
}
