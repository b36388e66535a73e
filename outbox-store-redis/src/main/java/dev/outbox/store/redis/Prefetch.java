package dev.outbox.store.redis;

import dev.outbox.store.support.Prefetcher;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The request that closes a batch takes the next checkout along: one wait for the server, and for its disk, instead of
 * two. It happens only after a batch that was published as a whole and had followed another one without a pause, in a
 * store that has seen no other batch for a while. {@link Prefetcher} has the rest.
 *
 * <p>The next batch has the hold of the batch before, with its token and its fence. That hold never lapses in between,
 * because the script that passes it on leaves them as they are, and all others who take the partition change both.
 * So a batch that closes with them has had the partition without a break since it was taken. The lease counts from the
 * last request that was confirmed.
 *
 * <p>What arrives late or twice does no harm. To pass on asks for the last message of its batch, which is gone by then.
 * To renew prolongs. To close and to release leave the token closed: after that it takes nothing and settles nothing.
 *
 * <p>Safe for use by several threads.
 */
final class Prefetch implements AutoCloseable {
    /** How many batches have to follow another one before. */
    private static final int STEADY = 1;

    private final RetryingClient client;
    private final Checkout checkout;
    private final Prefetcher<Hold> prefetcher;

    Prefetch(RetryingClient client, Checkout checkout) {
        this.client = client;
        this.checkout = checkout;
        this.prefetcher = new Prefetcher<>(STEADY, hold -> RedisBatch.release(client, hold));
    }

    /** What was checked out ahead, brought up to now; or null if there is nothing, or it is for something else. */
    @Nullable
    Hold take(int limit) {
        Hold found = prefetcher.take(limit);
        return found == null ? null : checkout.complete(found, limit, hold -> RedisBatch.release(client, hold));
    }

    void noteCheckout(long called, int messages, int limit) {
        prefetcher.noteCheckout(called, messages, limit);
    }

    /** Whether a batch is expected to follow immediately on the one that is about to be closed. */
    boolean isSteady() {
        return prefetcher.isSteady();
    }

    /** A batch was closed; {@code next} went with it, and these are the answers. */
    void noteClosed(Checkout.@Nullable Next next, List<Object> replies, int limit) {
        long took = prefetcher.noteClosed().toNanos();
        if (next == null) {
            return;
        }
        try {
            checkout.answered(next, replies);
            checkout.readAhead(next.hold, limit, took);
            prefetcher.keep(next.hold, limit);
        } catch (Throwable e) {
            // Whatever it is, such as a lack of memory: the batch was closed, and nothing failed that anybody has asked
            // for. The checkout that comes next will say what is wrong.
            RedisBatch.release(client, next.hold);
        }
    }

    /** Gives back what was not fetched in time; returns whether it is still worth looking. */
    boolean dropStale() {
        prefetcher.dropStale();
        return prefetcher.isWorthWatching();
    }

    /** Gives back what there is, now and from now on. */
    @Override
    public void close() {
        prefetcher.close();
    }
}
