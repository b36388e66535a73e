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
    }

    private final AtomicReference<@Nullable Event> last = new AtomicReference<>();
    private volatile @Nullable Thread waiting;

    void add(Event event) {
        Event before;
        do {
            before = last.get();
            event.next = before;
        } while (!last.compareAndSet(before, event));
        LockSupport.unpark(waiting);
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

    /** Waits for news, an interrupt, or so long. */
    void await(long nanos) {
        waiting = Thread.currentThread();
        if (isEmpty()) {
            LockSupport.parkNanos(this, nanos);
        }
        waiting = null;
    }
}
