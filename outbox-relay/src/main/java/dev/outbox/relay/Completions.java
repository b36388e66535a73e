package dev.outbox.relay;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What other threads tell the thread of a round: that a call has returned, or that an answer is there. Telling needs no
 * memory, so that a message that was started is always answered.
 */
final class Completions {
    /** One piece of news; told once. */
    static class Event {
        private @Nullable Event next;

        /** How many there are with it that nobody has taken. */
        private int count;
    }

    private final AtomicReference<@Nullable Event> last = new AtomicReference<>();
    private volatile @Nullable Thread waiting;

    /** For how many events the waiting thread is woken. */
    private volatile int wanted;

    void add(Event event) {
        Event before;
        do {
            before = last.get();
            event.next = before;
            event.count = before == null ? 1 : before.count + 1;
        } while (!last.compareAndSet(before, event));
        if (event.count == wanted) { // only one of them; await counts those that were there before
            LockSupport.unpark(waiting);
        }
    }

    boolean isEmpty() {
        return last.get() == null;
    }

    /** All there is, in the order in which it was told: the first, which leads to the {@linkplain #after next}. */
    @Nullable
    Event takeAll() {
        Event event = last.get() == null ? null : last.getAndSet(null);
        Event first = null;
        while (event != null) {
            Event before = event.next;
            event.next = first;
            first = event;
            event = before;
        }
        return first;
    }

    static @Nullable Event after(Event event) {
        return event.next;
    }

    /**
     * Waits for this number of events, an interrupt, or this time. To be woken for each event costs more than the
     * events do.
     */
    void await(int events, long nanos) {
        wanted = events;
        waiting = Thread.currentThread();
        Event there = last.get();
        if (there == null || there.count < events) {
            LockSupport.parkNanos(this, nanos);
        }
        waiting = null;
    }
}
