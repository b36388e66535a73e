package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.PersistedMessage;
import dev.outbox.relay.Unsettled.Entry;
import dev.outbox.relay.Unsettled.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UnsettledTest {
    private static final Partition PARTITION = new Partition("t", 0);

    private static PersistedMessage message(int number) {
        return new PersistedMessage("id" + number, "t", 0, null, Map.of(), new byte[0], 0, Instant.EPOCH);
    }

    private static Entry entry(int number) {
        return new Entry(PARTITION, message(number), Kind.PUBLISHED, null, Duration.ZERO);
    }

    /** By a clock for which an hour is a third of a second. */
    @Test
    void whatIsRememberedIsKnownForAnHour() {
        Time time = new Time(10_000);
        Unsettled unsettled = new Unsettled(time);
        long before = time.nanos();
        unsettled.remember(entry(1));
        long after = time.nanos();
        long hour = Duration.ofHours(1).toNanos();
        boolean known;
        do {
            long asked = time.nanos();
            known = unsettled.knows(PARTITION, message(1));
            long answered = time.nanos();
            if (known) {
                assertTrue(asked - after <= hour, "known for longer than an hour");
            } else {
                assertTrue(answered - before > hour, "forgotten before an hour was over");
            }
        } while (known);
    }

    /** In a partition where nothing more comes, nobody else would find that it is over. */
    @Test
    void whatIsTooOldIsNotCounted() {
        Unsettled unsettled = new Unsettled(new Time(100_000));
        unsettled.remember(entry(1));
        Fixture.await("an hour is over", () -> unsettled.size() == 0);
        assertFalse(unsettled.knows(PARTITION, message(1)));
    }

    /** Nothing is published then, because it could not be remembered. */
    @Test
    void thereIsRoomForTenThousand() {
        Unsettled unsettled = new Unsettled(new Time(1));
        for (int i = 0; i < 10_000; i++) {
            assertFalse(unsettled.isFull(), "full with " + i);
            unsettled.remember(entry(i));
        }
        assertTrue(unsettled.isFull());
        unsettled.forget(entry(1));
        assertFalse(unsettled.isFull());
        assertEquals(9_999, unsettled.size());
    }
}
