package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CompletionsTest {
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);

    private final Completions completions = new Completions();

    @Test
    void aThreadThatWaitsForSeveralEventsIsWokenByTheLastOfThem() throws Exception {
        for (int round = 0; round < 2; round++) { // what was taken in the first does not count in the second
            FutureTask<Integer> waiting = new FutureTask<>(() -> {
                completions.await(3, HOUR);
                return taken();
            });
            Thread thread = new Thread(waiting);
            thread.start();
            for (int i = 0; i < 3; i++) {
                Fixture.await("the thread waits", () -> thread.getState() == Thread.State.TIMED_WAITING);
                completions.add(new Completions.Event());
            }
            assertEquals(3, waiting.get(2, TimeUnit.MINUTES), "events when it was woken");
        }
    }

    @Test
    void nobodyWaitsForWhatIsThere() {
        completions.add(new Completions.Event());
        completions.add(new Completions.Event());
        completions.await(2, HOUR);
        assertEquals(2, taken());
        assertTrue(completions.isEmpty(), "nothing is left");
    }

    private int taken() {
        int count = 0;
        for (Completions.Event event = completions.takeAll(); event != null; event = Completions.after(event)) {
            count++;
        }
        return count;
    }
}
