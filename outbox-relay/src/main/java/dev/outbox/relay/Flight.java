package dev.outbox.relay;

import dev.outbox.Delivery;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A message that a publisher has and has not answered for. Whoever {@linkplain #claim claims} it first says what became of it:
 * the publisher, or the round that has waited long enough. A claimed flight lets go of everything, since a client that forgets a
 * future may keep it for ever.
 */
final class Flight<T> extends Landings.Event implements BiConsumer<@Nullable Receipt, @Nullable Throwable>, Runnable {
    /** That a helper has come back from the publisher. */
    static final class Returned extends Landings.Event {
        final Lane<?> lane;

        Returned(Lane<?> lane) {
            this.lane = lane;
        }
    }

    /** What it needs while it is in the air. */
    record Cargo<T>(
            Lane<T> lane,
            PersistedMessage message,
            Landings landings,
            Shift shift,
            @Nullable Helpers helpers) {}

    final long start;
    final long deadline;
    private final AtomicBoolean claimed = new AtomicBoolean();
    private final @Nullable Returned returned;
    private volatile @Nullable Cargo<T> cargo;

    /** Whether the publisher has taken the message, so that it can only be waited for. */
    private volatile boolean called;

    /** Set by the helpers. */
    Helpers.@Nullable Helper helper;

    // Written before it lands.
    @Nullable
    Receipt receipt;

    @Nullable
    Throwable failure;

    boolean decoded;
    private long callNanos;

    /** How long the answer took, also if nobody looked at it then. */
    long tookNanos;

    Flight(Cargo<T> cargo, long start, long deadline) {
        this.cargo = cargo;
        this.start = start;
        this.deadline = deadline;
        this.returned = cargo.helpers() == null ? null : new Returned(cargo.lane());
    }

    @Nullable
    Cargo<T> cargo() {
        return cargo;
    }

    /** Whether the publisher is asynchronous; a synchronous one has answered when it returns, and is waited for until then. */
    boolean isAnsweredLater() {
        return deadline != Long.MAX_VALUE;
    }

    boolean wasCalled() {
        return called;
    }

    long callNanos() {
        return callNanos;
    }

    /** On a helper. */
    @Override
    public void run() {
        Cargo<T> mine = cargo;
        if (mine != null) {
            call(mine, true);
        }
    }

    /** On the thread of the round. */
    void runHere() {
        Cargo<T> mine = cargo;
        if (mine != null) {
            call(mine, false);
        }
    }

    private void call(Cargo<T> mine, boolean helping) {
        Route<T> route = mine.lane().route;
        boolean async = route.isAsynchronous();
        Receipt answer = null;
        Throwable thrown = null;
        boolean understood = false;
        try {
            enter(mine.shift(), helping);
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
            exit(mine.shift(), helping, thrown);
        }
        callNanos = System.nanoTime() - start;
        decoded = understood;
        called = true;
        route.took(callNanos);
        if (mine.helpers() != null) {
            mine.helpers().done(route, helper);
        }
        if (!async || thrown != null) {
            land(answer, thrown);
        }
        if (returned != null) {
            mine.landings().add(returned);
        }
    }

    private static void enter(Shift shift, boolean helping) {
        if (helping) {
            shift.enterAsHelper();
        } else {
            shift.enter();
        }
    }

    private static void exit(Shift shift, boolean helping, @Nullable Throwable thrown) {
        if (helping) {
            shift.exitAsHelper();
        } else {
            if (thrown != null) {
                shift.caught(thrown);
            }
            shift.exit();
        }
    }

    /** The answer of an asynchronous publisher, on whatever thread. */
    @Override
    public void accept(@Nullable Receipt answer, @Nullable Throwable thrown) {
        decoded = true;
        land(answer, thrown);
    }

    private void land(@Nullable Receipt answer, @Nullable Throwable thrown) {
        Cargo<T> mine = cargo;
        if (mine == null || !claim()) {
            return;
        }
        receipt = answer;
        failure = thrown;
        tookNanos = System.nanoTime() - start;
        if (thrown != null || answer == null) {
            mine.lane().stop(); // now, and not when the round comes to look at it
        }
        mine.landings().add(this);
    }

    /** True for one caller only. */
    boolean claim() {
        return claimed.compareAndSet(false, true);
    }

    /** By the round, when it is done with it. */
    void letGo() {
        cargo = null;
    }
}
