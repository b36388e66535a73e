package dev.outbox.store.support;

import dev.outbox.StoreException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What was asked for when the store was opened may change while relays run: row security is switched on, a server joins
 * a cluster or gets another policy, an index is dropped. Then messages would be hidden, be deleted, come twice or come
 * out of order, and nobody would say so. So a store asks again every minute, and hands nothing out until it is as it
 * must be. Safe for use by several threads.
 *
 * @param <C> what is needed to ask
 * @param <E> what asking may throw
 */
public final class Surroundings<C, E extends Exception> {
    /** How often they are asked about. Tests ask more often. */
    public static volatile Duration every = Duration.ofMinutes(1);

    private final Look<C, E> look;

    /** When they were last asked about, by {@link System#nanoTime}. */
    private final AtomicLong asked;

    /** Whether the last answer was that they are not as they must be. */
    private volatile boolean unfit;

    /** They have just been asked about. */
    public Surroundings(Look<C, E> look) {
        this(look, System.nanoTime());
    }

    /** They were asked about at that moment. */
    Surroundings(Look<C, E> look, long asked) {
        this.look = look;
        this.asked = new AtomicLong(asked);
    }

    /** Asks. */
    @FunctionalInterface
    public interface Look<C, E extends Exception> {
        /** What is not as it must be, with what to do, as a part of a sentence; null if all is. */
        @Nullable
        String unfit(C means) throws E;
    }

    /**
     * Asks if that was not done for a minute. One thread asks, because the answer may take long, and others go on
     * meanwhile. After a bad answer all ask. If asking fails, that is no answer, and the next one is in a minute.
     */
    public void require(C means) throws E {
        long last = asked.get();
        long now = System.nanoTime();
        if (unfit || now - last >= every.toNanos() && asked.compareAndSet(last, now)) {
            requireNow(means);
        }
    }

    /**
     * Asks.
     *
     * @throws StoreException if they are no longer as they must be, with what to do
     */
    public void requireNow(C means) throws E {
        String problem = look.unfit(means);
        unfit = problem != null;
        if (problem != null) {
            throw new StoreException("The database is not as it was when the store was opened: " + problem
                    + ". Until then nothing is handed out.");
        }
        asked.set(System.nanoTime());
    }
}
