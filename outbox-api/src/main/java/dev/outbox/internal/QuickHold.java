package dev.outbox.internal;

import dev.outbox.MessageBatch;

/**
 * A batch that can tell without waiting that it has its hold. The relay asks before every message, and spares a look at
 * the clock if it need not know how long the answer took.
 */
public interface QuickHold {
    /**
     * Whether the batch is open and certainly has its hold. Waits for nothing. False says nothing: then
     * {@link MessageBatch#isHeld} is to be asked.
     *
     * @param now this moment, by {@link System#nanoTime}: read by the caller after whatever may have taken long
     */
    boolean isHeldAt(long now);
}
