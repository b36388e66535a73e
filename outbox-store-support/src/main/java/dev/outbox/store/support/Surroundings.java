package dev.outbox.store.support;

import dev.outbox.StoreException;
import java.time.Duration;
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

    /** When they were last seen to be as they must be, by {@link System#nanoTime}. Two threads may ask at a time. */
    private volatile long seen = System.nanoTime();

    /** They have just been asked about. */
    public Surroundings(Look<C, E> look) {
        this.look = look;
    }

    /** Asks. */
    @FunctionalInterface
    public interface Look<C, E extends Exception> {
        /** What is not as it must be, with what to do, as a part of a sentence; null if all is. */
        @Nullable
        String unfit(C means) throws E;
    }

    /** Asks if that was not done for a minute. */
    public void require(C means) throws E {
        if (System.nanoTime() - seen >= every.toNanos()) {
            requireNow(means);
        }
    }

    /**
     * Asks.
     *
     * @throws StoreException if they are no longer as they must be, with what to do
     */
    public void requireNow(C means) throws E {
        String unfit = look.unfit(means);
        if (unfit != null) {
            throw new StoreException("The database is not as it was when the store was opened: " + unfit
                    + ". Until then nothing is handed out.");
        }
        seen = System.nanoTime();
    }
}
