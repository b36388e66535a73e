package dev.outbox.store.support;

import dev.outbox.OutboxException;
import dev.outbox.StoreException;
import dev.outbox.internal.Log;
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
    private static final Log LOG = Log.of(Surroundings.class);

    /** How often they are asked about. Tests ask more often. */
    public static volatile Duration every = Duration.ofMinutes(1);

    private final Look<C, E> look;

    /** When they were last asked about, by {@link System#nanoTime}. */
    private final AtomicLong asked;

    /** Whether the last answer was that they are not as they must be. */
    private volatile boolean unfit;

    /** Whether asking failed the last time. */
    private volatile boolean failing;

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
     * meanwhile. After a bad answer all ask. If asking fails, that is no answer: the log says it once, the caller goes
     * on, and the next one asks in a minute.
     */
    public void require(C means) throws E {
        if (unfit) {
            requireNow(means);
            return;
        }
        long last = asked.get();
        long now = System.nanoTime();
        if (now - last < every.toNanos() || !asked.compareAndSet(last, now)) {
            return;
        }
        String problem;
        try {
            problem = look.unfit(means);
        } catch (OutboxException e) {
            throw e;
        } catch (Exception e) {
            noteFailure(e);
            return;
        }
        noteAnswer(problem);
    }

    private void noteFailure(Exception failure) {
        if (!failing) {
            failing = true;
            LOG.warn(
                    "[OUTBOX-012] Whether the database is as it was when the store was opened could not be asked;"
                            + " trying again every minute: {}",
                    failure.toString());
        }
    }

    /**
     * Asks.
     *
     * @throws StoreException if they are no longer as they must be, with what to do
     */
    public void requireNow(C means) throws E {
        noteAnswer(look.unfit(means));
    }

    private void noteAnswer(@Nullable String problem) {
        failing = false;
        unfit = problem != null;
        if (problem != null) {
            throw new StoreException("The database is not as it was when the store was opened: " + problem
                    + ". Until then nothing is handed out.");
        }
        asked.set(System.nanoTime());
    }
}
