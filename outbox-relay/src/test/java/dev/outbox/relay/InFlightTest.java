package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class InFlightTest {
    private static final PersistedMessage MESSAGE = new PersistedMessage(
            "id", "t", 0, null, Map.of(), "text".getBytes(StandardCharsets.UTF_8), 0, Instant.EPOCH);

    private final Topic<String> topic = Topic.builder("t", Codecs.text())
            .publisher(delivery -> Receipt.taken())
            .build();
    private final Route<String> route = new Route<>(topic, new Time(1), Interceptors.NONE);
    private final WorkerRun run = new WorkerRun(new WakeSignal(new Time(1)), WorkerRun.Kind.PROBE);
    private final Helpers helpers = new Helpers(2, new Threads(null));

    /** Otherwise every message of a quick publisher would go to a helper for as long as the machine is busy. */
    @Test
    @Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aHelperThatBeginsLateMakesAPublisherNoSlower() {
        do {
            publishByAHelperThatIsLate();
        } while (route.isWorthAHelper(false));
        helpers.close();
    }

    private void publishByAHelperThatIsLate() {
        Completions completions = new Completions();
        PartitionQueue<String> queue = new PartitionQueue<>(route, new Partition("t", 0));
        long late = System.nanoTime() - TimeUnit.HOURS.toNanos(1);
        InFlight<String> sent =
                new InFlight<>(new InFlight.Context<>(queue, MESSAGE, completions, run, helpers), late, Long.MAX_VALUE);
        assertTrue(helpers.start(sent, route, false), "a helper is free");
        int events = 0;
        while (events < 2) { // it is answered, and the helper is back
            completions.await(1, TimeUnit.SECONDS.toNanos(1));
            for (Completions.Event event = completions.takeAll(); event != null; event = Completions.after(event)) {
                events++;
            }
        }
    }
}
