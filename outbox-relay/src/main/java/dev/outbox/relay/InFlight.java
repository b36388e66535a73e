package dev.outbox.relay;

import dev.outbox.Delivery;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A message that a publisher has and has not answered. The publisher or the round that has waited long enough decides
 * what became of it: the one that {@linkplain #claim claims} it first. Then it lets go of everything, because a client
 * that forgets a future may keep it forever.
 */
final class InFlight<T> extends Completions.Event
        implements BiConsumer<@Nullable Receipt, @Nullable Throwable>, Runnable {
    /** That a helper has come back from the publisher. */
    static final class Returned extends Completions.Event {
        final PartitionQueue<?> queue;

        Returned(PartitionQueue<?> queue) {
            this.queue = queue;
        }
    }

    /** What it needs until it is answered. */
    record Context<T>(
            PartitionQueue<T> queue,
            PersistedMessage message,
            Completions completions,
            WorkerRun run,
            @Nullable Helpers helpers) {}

    final long start;
    final long deadline;
    private final AtomicBoolean claimed = new AtomicBoolean();
    private final @Nullable Returned returned;
    private volatile @Nullable Context<T> context;

    /** Whether the publisher has taken the message, so that it can only be waited for. */
    private volatile boolean called;

    /** Set by the helpers. */
    Helpers.@Nullable Helper helper;

    // Written before it is reported.
    @Nullable
    Receipt receipt;

    @Nullable
    Throwable failure;

    boolean decoded;

    /** How long the answer took, also if nobody looked at it then. */
    long tookNanos;

    InFlight(Context<T> context, long start, long deadline) {
        this.context = context;
        this.start = start;
        this.deadline = deadline;
        this.returned = context.helpers() == null ? null : new Returned(context.queue());
    }

    @Nullable
    Context<T> context() {
        return context;
    }

    /**
     * Whether the publisher is asynchronous; a synchronous one has answered when it returns, and is waited for until
     * then.
     */
    boolean isAnsweredLater() {
        return deadline != Long.MAX_VALUE;
    }

    boolean wasCalled() {
        return called;
    }

    /** On a helper. */
    @Override
    public void run() {
        Context<T> mine = context;
        if (mine != null) {
            call(mine, true);
        }
    }

    /** On the thread of the round. */
    void runHere() {
        Context<T> mine = context;
        if (mine != null) {
            call(mine, false);
        }
    }

    private void call(Context<T> mine, boolean helping) {
        Route<T> route = mine.queue().route;
        boolean async = route.isAsynchronous();
        // A helper may begin late, which is not the publisher's time: counted as such, it would keep helpers in use.
        long began = helping ? System.nanoTime() : start;
        Receipt answer = null;
        Throwable thrown = null;
        boolean understood = false;
        try {
            enter(mine.run(), helping, route, start);
            Delivery<T> delivery = route.delivery(mine.message());
            understood = true;
            if (async) {
                route.start(delivery).whenComplete(this);
            } else {
                answer = route.publish(delivery);
            }
        } catch (Throwable e) {
            thrown = e;
        } finally {
            exit(mine.run(), helping, thrown);
        }
        decoded = understood;
        called = true;
        route.took(System.nanoTime() - began);
        if (mine.helpers() != null) {
            mine.helpers().done(route, helper);
        }
        if (!async || thrown != null) {
            complete(answer, thrown);
        }
        if (returned != null) {
            mine.completions().add(returned);
        }
    }

    private static void enter(WorkerRun run, boolean helping, Route<?> route, long start) {
        if (helping) {
            run.enterAsHelper(route, start);
        } else {
            run.enter(route, start);
        }
    }

    private static void exit(WorkerRun run, boolean helping, @Nullable Throwable thrown) {
        if (helping) {
            run.exitAsHelper();
        } else {
            if (thrown != null) {
                run.caught(thrown);
            }
            run.exit();
        }
    }

    /** The answer of an asynchronous publisher, on whatever thread. */
    @Override
    public void accept(@Nullable Receipt answer, @Nullable Throwable thrown) {
        decoded = true;
        complete(answer, thrown);
    }

    private void complete(@Nullable Receipt answer, @Nullable Throwable thrown) {
        Context<T> mine = context;
        if (mine == null || !claim()) {
            return;
        }
        receipt = answer;
        failure = thrown;
        tookNanos = System.nanoTime() - start;
        if (thrown != null || answer == null) {
            mine.queue().stop(); // now, and not when the round comes to look at it
        }
        mine.completions().add(this);
    }

    /** True for one caller only. */
    boolean claim() {
        return claimed.compareAndSet(false, true);
    }

    /** By the round, when it is done with it. */
    void letGo() {
        context = null;
    }
}
