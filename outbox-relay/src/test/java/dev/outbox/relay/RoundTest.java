package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.outbox.Codecs;
import dev.outbox.MessageBatch;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.Topic;
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
    private static final class Given extends WrappedStore implements MessageBatch {
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
        Time time = new Time(1);
        Shared shared = new Shared(
                new Given(all),
                new Listeners(List.of()),
                time,
                Duration.ofMinutes(1),
                new Helpers(1, new Threads(null)));
        Admission.Permit permit = shared.admission.ask(LIMIT, true);
        assertNotNull(permit);
        Route<byte[]> route = new Route<>(topic, time, Interceptors.NONE);
        WorkerRun run = new WorkerRun(new WakeSignal(time), WorkerRun.Kind.CALLER);
        Round round = new Round(shared, Map.of("t", route), Set.of(), run, permit, LIMIT);
        assertEquals(messages, round.run(false).published());
        assertEquals(expected, round.isFull());
    }
}
