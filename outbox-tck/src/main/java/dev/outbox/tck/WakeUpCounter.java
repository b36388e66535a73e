package dev.outbox.tck;

import dev.outbox.WakeUps;
import java.util.concurrent.atomic.AtomicInteger;

/** Subscribes to wake-ups and counts them. */
final class WakeUpCounter {
    private final AtomicInteger calls = new AtomicInteger();
    private final WakeUps.Subscription subscription;

    WakeUpCounter(Client client) {
        subscription = WakeUps.of(client.store()).onWakeUp(calls::incrementAndGet);
    }

    int calls() {
        return calls.get();
    }

    /** The calls, once there were no more for a while: one may be under way when the subscription ends. */
    int callsWhenQuiet() {
        int last = calls();
        long end = System.nanoTime() + TestOutbox.QUIET.toNanos();
        while (System.nanoTime() < end) {
            TestOutbox.pause();
            if (calls() != last) {
                last = calls();
                end = System.nanoTime() + TestOutbox.QUIET.toNanos();
            }
        }
        return last;
    }

    /** Ends the subscription, twice, which does no harm. */
    void end() {
        subscription.close();
        subscription.close();
    }
}
