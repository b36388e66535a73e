package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Store;
import dev.outbox.tck.internal.history.History;
import dev.outbox.tck.internal.report.Drawn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A seed draws the same workload again: what is written where, what commits, and how many messages a checkout asks for. */
class WorkloadTest {
    @Test
    void aSeedReplaysWhatWasDrawn() throws Exception {
        List<String> once = run(42);
        assertEquals(once, run(42), "with the same seed");
        assertNotEquals(once, run(43), "with another");
        assertTrue(once.contains("commit") && once.contains("rollback") && once.size() > 100, "too little: " + once);
    }

    /** What one writer does; with more, their threads take turns as they like. */
    private static List<String> run(long seed) throws Exception {
        Recording harness = new Recording(new InProcessTest.Harness(), Collections.synchronizedList(new ArrayList<>()));
        TestOutbox outbox = TestOutbox.create(harness, new Drawn(seed, Duration.ZERO, 0, false));
        try {
            History history = new Workload(1, 1, 1, 60, 3, seed).run(outbox, null);
            history.check(true);
            assertTrue(history.deliveries() > 50, "deliveries: " + history.deliveries());
        } finally {
            outbox.drop();
        }
        return harness.done();
    }

    private record Recording(StoreHarness harness, List<String> done) implements StoreHarness {
        @Override
        public String createOutbox() throws Exception {
            return harness.createOutbox();
        }

        @Override
        public Store open(String address) throws Exception {
            return harness.open(address);
        }

        @Override
        public WriteTransaction begin(String address) throws Exception {
            WriteTransaction transaction = harness.begin(address);
            return WriteTransaction.of(
                    message -> {
                        done.add("persist in " + message.partition());
                        return transaction.persistFunc().persist(message);
                    },
                    transaction.rows(),
                    () -> {
                        done.add("commit");
                        transaction.commit();
                    },
                    () -> {
                        done.add("rollback");
                        transaction.rollback();
                    },
                    transaction::close);
        }

        @Override
        public Optional<Duration> lease() {
            return harness.lease();
        }

        @Override
        public void dropOutbox(String address) throws Exception {
            harness.dropOutbox(address);
        }
    }
}
