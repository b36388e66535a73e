package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxListener;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.internal.QuickHold;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoundTest {
    private static final int LIMIT = 20_000;

    /** A store that has this batch. */
    private static class Given extends WrappedStore implements MessageBatch {
        private final List<PersistedMessage> messages;

        Given(List<PersistedMessage> messages) {
            super(new Fixture().store);
            this.messages = messages;
        }

        @Override
        public MessageBatch checkout(Set<String> topics, int limit) {
            return this;
        }

        @Override
        public List<PersistedMessage> messages() {
            return messages;
        }

        @Override
        public boolean isHeld() {
            return true;
        }

        @Override
        public void markPublished(PersistedMessage message, @Nullable String publishId) {}

        @Override
        public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {}

        @Override
        public void deadLetter(PersistedMessage message, String reason) {}
    }

    /** A backend may bound a batch to 100 partitions, 10,000 messages, or 16 MiB of keys, headers and payloads. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1, false",
        "100, 99, 1000, false",
        "100, 100, 1000, true",
        "9999, 1, 1, false",
        "10000, 1, 1, true",
        "20000, 1, 1, true",
        "7, 7, 1048576, false",
        "8, 8, 1048576, true",
        "1, 1, 16777216, true",
    })
    void aBatchThatTheBackendMayHaveBoundedLeavesWorkToOthers(
            int messages, int partitions, int bytes, boolean expected) {
        byte[] payload = new byte[bytes];
        List<PersistedMessage> all = IntStream.range(0, messages)
                .mapToObj(i -> new PersistedMessage(
                        "id" + i, "t", i * partitions / messages, null, Map.of(), payload, 0, Instant.EPOCH))
                .toList();
        Topic<byte[]> topic = Topic.builder("t", Codecs.bytes())
                .publisher(delivery -> Receipt.taken())
                .build();
        Round round = round(new Given(all), topic, List.of());
        assertEquals(messages, round.run(false).published());
        assertEquals(expected, round.isFull());
    }

    private static Round round(Store store, Topic<byte[]> topic, List<OutboxListener> listeners) {
        Time time = new Time(1);
        Shared shared = new Shared(
                store, new Listeners(listeners), time, Duration.ofMinutes(1), new Helpers(1, new Threads(null)));
        Admission.Permit permit = shared.admission.ask(LIMIT, true);
        assertNotNull(permit);
        Route<byte[]> route = new Route<>(topic, time, Interceptors.NONE);
        WorkerRun run = new WorkerRun(new WakeSignal(time), WorkerRun.Kind.CALLER);
        return new Round(shared, Map.of("t", route), Set.of(), run, permit, LIMIT);
    }

    /** A batch that may know that it has its hold. It notes what it is asked. */
    private static final class Knowing extends Given implements QuickHold {
        private final boolean knows;
        private int asked;
        private int askedToWait;

        /** When a publisher or a listener was last called. */
        private long called;

        Knowing(boolean knows) {
            super(IntStream.range(0, 6)
                    .mapToObj(i -> new PersistedMessage(
                            "id" + i, "t", i % 3, null, Map.of(), new byte[] {(byte) i}, 0, Instant.EPOCH))
                    .toList());
            this.knows = knows;
            called();
        }

        void called() {
            called = System.nanoTime();
        }

        @Override
        public boolean isHeldAt(long now) {
            assertTrue(now - called >= 0 && now - System.nanoTime() <= 0, "the time is later than all that was done");
            asked++;
            return knows;
        }

        @Override
        public boolean isHeld() {
            askedToWait++;
            return true;
        }
    }

    /** Three partitions have two messages each. The first message of all fails. */
    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void aBatchIsAskedBeforeEveryMessageWhetherItKnowsThatItHasItsHold(boolean knows, boolean listened) {
        Knowing batch = new Knowing(knows);
        Topic<byte[]> topic = Topic.builder("t", Codecs.bytes())
                .publisher(delivery -> {
                    batch.called();
                    if (delivery.id().equals("id0")) {
                        throw new IllegalStateException("refused");
                    }
                    return Receipt.taken();
                })
                .build();
        OutboxListener listener = new OutboxListener() {
            @Override
            public void published(Published event) {
                batch.called();
            }

            @Override
            public void failed(Failed event) {
                batch.called();
            }
        };
        Round round = round(batch, topic, listened ? List.of(listener) : List.of());
        assertEquals(new RoundResult(4, 1, null), round.run(false));
        assertEquals(5, batch.asked);
        assertEquals(knows ? 0 : 5, batch.askedToWait);
    }
}
