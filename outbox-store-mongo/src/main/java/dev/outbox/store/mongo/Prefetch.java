package dev.outbox.store.mongo;

import dev.outbox.store.support.Prefetcher;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The transaction that closes a batch takes its partitions again instead of giving them back: one wait for the journals
 * of a majority instead of two. Only after {@value #STEADY} batches in a row, of all partitions that are known to have
 * messages, in a store that has seen no other batch for a while. What is taken is a claim like any other, with a fence
 * of its own and a lease that counts from before it was asked for. {@link Prefetcher} has the rest. Safe for use by
 * several threads.
 */
final class Prefetch implements AutoCloseable {
    private static final int STEADY = 2;

    private final Prefetcher<Checkout.Ahead> prefetcher;
    private final LeaseRenewer leaseRenewer;
    private boolean watching;

    Prefetch(LeaseRenewer leaseRenewer) {
        this.leaseRenewer = leaseRenewer;
        this.prefetcher = new Prefetcher<>(STEADY, this::giveBack);
    }

    private void giveBack(Checkout.Ahead ahead) {
        ahead.session().close();
        leaseRenewer.abandon(List.of(ahead.hold()));
    }

    /** What was taken ahead for such a checkout, the caller's to use or give back; null if there is nothing. */
    Checkout.@Nullable Ahead take(int limit) {
        Checkout.Ahead ahead = prefetcher.take(limit);
        if (ahead != null && !ahead.hold().isTrusted()) {
            giveBack(ahead);
            return null;
        }
        return ahead;
    }

    /** A batch was checked out. */
    void noteCheckout(long called, int messages, int limit) {
        prefetcher.noteCheckout(called, messages, limit);
    }

    /** Whether a batch is expected to follow immediately on one that is about to be closed. */
    boolean isSteady() {
        return prefetcher.isSteady();
    }

    void noteClosed() {
        prefetcher.noteClosed();
    }

    /**
     * Keeps a claim that took effect for the next checkout, which will be with this limit. Its lease is not renewed: it
     * lasts for far longer than this is kept, and if nobody looked after it, it would end by itself.
     */
    void keep(Checkout.Ahead ahead, int limit) {
        prefetcher.keep(ahead, limit);
        synchronized (this) {
            if (!watching) {
                Thread watch = new Thread(this::watch, "outbox-mongo-following");
                watch.setDaemon(true);
                watch.start();
                watching = true;
            }
        }
    }

    private void watch() {
        while (isWorthWatching()) {
            LockSupport.parkNanos(Prefetcher.KEEP);
            try {
                prefetcher.dropStale();
            } catch (RuntimeException | Error e) {
                // As when the heap was full. What was not given back is nobody's when its lease is over.
            }
        }
    }

    private synchronized boolean isWorthWatching() {
        watching = prefetcher.isWorthWatching();
        return watching;
    }

    /** Gives back what there is, now and from now on. */
    @Override
    public void close() {
        prefetcher.close();
    }
}
