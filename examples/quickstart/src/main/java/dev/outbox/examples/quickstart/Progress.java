package dev.outbox.examples.quickstart;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/** What the run shows of itself, and how long it waits without anything moving. Used by one thread. */
final class Progress {
    private static final Duration INTERVAL = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final long POLL_MILLIS = 2;

    private final PrintStream out;
    private final Writers writers;
    private final DeliveryLog.Counter deliveries;
    private final long start = System.nanoTime();
    private long shownAt = start;
    private long movedAt = start;
    private long moved = -1;
    private long shown;

    Progress(PrintStream out, Writers writers, DeliveryLog.Counter deliveries) {
        this.out = out;
        this.writers = writers;
        this.deliveries = deliveries;
    }

    /** Something that will become true, unless something breaks. */
    interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    /**
     * Waits, showing what happens meanwhile.
     *
     * @throws Failure if nothing at all happened for {@link #PATIENCE}
     */
    void await(String what, RelayProcess relay, Condition condition) throws IOException, InterruptedException {
        movedAt = System.nanoTime();
        while (!condition.holds()) {
            writers.finished();
            relay.requireAlive();
            long now = System.nanoTime();
            long sum = deliveries.count() + writers.committed() + writers.rolledBack();
            if (sum != moved) {
                moved = sum;
                movedAt = now;
            }
            if (now - movedAt > PATIENCE.toNanos()) {
                throw Failure.broken("Waited for " + what + ", but nothing has happened for " + PATIENCE.toSeconds()
                        + " s:" + counts());
            }
            if (now - shownAt > INTERVAL.toNanos() && sum != shown) {
                shownAt = now;
                shown = sum;
                out.println(counts());
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** Says what was done just now. */
    void say(String what) {
        out.printf(Locale.ROOT, "%6.1f s  %s%n", seconds(), what);
    }

    double seconds() {
        return (System.nanoTime() - start) / 1e9;
    }

    private String counts() throws IOException {
        return String.format(
                Locale.ROOT,
                "%6.1f s  committed %,6d   rolled back %,4d   delivered %,6d",
                seconds(),
                writers.committed(),
                writers.rolledBack(),
                deliveries.count());
    }
}
