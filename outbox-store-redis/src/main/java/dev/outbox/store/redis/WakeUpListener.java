package dev.outbox.store.redis;

import dev.outbox.WakeUps;
import dev.outbox.internal.Log;
import dev.outbox.internal.Outage;
import dev.outbox.store.support.RetryPause;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.JedisPubSub;

/**
 * Listens for what transactions publish when they commit, on one connection and one thread for all listeners. If the
 * connection is lost it begins again, and tells its listeners, because something may have been missed.
 *
 * <p>A connection on which nothing is sent may vanish without a word, and a client that only listens never finds out.
 * So the server is sent a PING now and then: what is in between does not take the connection for idle, and if one is
 * not answered before the next is due, the connection is broken off.
 */
final class WakeUpListener implements AutoCloseable {
    private static final Log LOG = Log.of(WakeUpListener.class);
    private static final Log SPARING = LOG.sparing();
    private static final long CONFIRMED_WITHIN_SECONDS = 5;
    static final Duration BETWEEN_PINGS = Duration.ofSeconds(15);

    private final Outage outage = new Outage(
            LOG,
            "[OUTBOX-406] Wake-ups are interrupted; polling goes on, and so does trying to listen again",
            "[OUTBOX-410] Wake-ups work again");

    private final RedisClientAdapter adapter;
    private final String channel;
    private final long betweenPings;
    private final List<Registration> listeners = new CopyOnWriteArrayList<>();
    private volatile CompletableFuture<Boolean> confirmed = new CompletableFuture<>();
    private final Thread thread = new Thread(this::run, "outbox-redis-wake-ups");
    private final Thread pinging = new Thread(this::ping, "outbox-redis-wake-ups-ping");
    private volatile Subscriber subscriber = new Subscriber();
    private volatile boolean closed;

    WakeUpListener(RedisClientAdapter adapter, String channel, Duration betweenPings) {
        this.adapter = adapter;
        this.channel = channel;
        this.betweenPings = betweenPings.toMillis();
    }

    /** Returns when the server has confirmed that it will tell. */
    WakeUps.Subscription add(Runnable listener) {
        synchronized (this) {
            if (!closed) {
                start(thread);
                start(pinging);
            }
        }
        try {
            confirmed.get(CONFIRMED_WITHIN_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw StoreErrors.of(
                    "Subscribing to wake-ups",
                    e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause()));
        } catch (TimeoutException e) {
            throw StoreErrors.of("Subscribing to wake-ups", new IllegalStateException("no answer in 5 s", e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw StoreErrors.of("Subscribing to wake-ups", new IllegalStateException("interrupted", e));
        }
        Registration registration = new Registration(listener);
        listeners.add(registration);
        return () -> listeners.remove(registration);
    }

    /** Once. If there is no room for another thread, the next listener has it started. */
    private static void start(Thread thread) {
        if (thread.getState() == Thread.State.NEW) {
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** Equal to no other, so that ending one subscription of a listener that has two leaves the other. */
    private static final class Registration {
        private final Runnable listener;

        Registration(Runnable listener) {
            this.listener = listener;
        }
    }

    private final class Subscriber extends JedisPubSub {
        private volatile @Nullable Connection connection;
        private volatile boolean awaitsPong;

        /** Has it end with an exception, if it is known on which connection it listens. */
        void breakOff() {
            Connection open = connection;
            if (open != null) {
                try {
                    open.forceDisconnect();
                } catch (IOException e) {
                    LOG.debug("Breaking a connection off failed; it has gone", e);
                }
            }
        }

        @Override
        public void onPong(String pattern) {
            awaitsPong = false;
        }

        @Override
        public void onSubscribe(String subscribedTo, int subscribedChannels) {
            if (closed) {
                unsubscribe();
            }
            if (!confirmed.complete(true) && confirmed.isCompletedExceptionally()) {
                confirmed = CompletableFuture.completedFuture(true);
            }
            outage.works();
            tell();
        }

        @Override
        public void onMessage(String from, String message) {
            tell();
        }
    }

    private void tell() {
        if (closed) {
            return;
        }
        for (Registration each : listeners) {
            try {
                each.listener.run();
            } catch (RuntimeException e) {
                SPARING.warn("[OUTBOX-405] A listener for wake-ups failed", e);
            }
        }
    }

    private void run() {
        RetryPause pause = new RetryPause();
        while (!closed) {
            long began = System.nanoTime();
            try {
                Subscriber next = new Subscriber();
                subscriber = next;
                adapter.subscribe(next, channel, connection -> next.connection = connection);
            } catch (Throwable e) { // whatever it is, the next try may do better
                confirmed.completeExceptionally(e); // for all who ask, until it works: nobody waits for the next try
                if (!closed) {
                    outage.failed(e);
                }
            }
            if (isLong(began)) {
                pause.reset();
            }
            try {
                Thread.sleep(closed ? 0 : pause.next().toMillis());
            } catch (InterruptedException e) {
                // closed, most likely
            }
        }
    }

    private static boolean isLong(long began) {
        return System.nanoTime() - began > TimeUnit.MINUTES.toNanos(1);
    }

    /** Asked for by who may not, it would end the subscription: so it is asked for elsewhere first. */
    private void ping() {
        boolean may = false;
        try {
            while (!closed) {
                Thread.sleep(betweenPings);
                try {
                    Subscriber current = subscriber;
                    if (current.awaitsPong) {
                        current.breakOff();
                    } else if (current.isSubscribed()) {
                        may = may || adapter.answersPings();
                        if (!may) {
                            return;
                        }
                        current.awaitsPong = true;
                        tryTo("Asking whether the server is there", current::ping);
                    }
                } catch (RuntimeException | Error e) {
                    // Short of memory, say: the next turn may do better, and without one nobody finds a dead
                    // connection.
                }
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private static void tryTo(String what, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            LOG.debug("{} failed; the connection has gone", what, e);
        }
    }

    /** Ends the calls, and the thread when the server has confirmed it; a server that does not is not waited for. */
    @Override
    public void close() {
        closed = true;
        listeners.clear();
        thread.interrupt();
        pinging.interrupt();
        Subscriber current = subscriber;
        if (current.isSubscribed()) {
            tryTo("Ending the subscription", current::unsubscribe);
        }
        try {
            thread.join(TimeUnit.SECONDS.toMillis(2));
            if (thread.isAlive()) {
                subscriber.breakOff();
                thread.join(TimeUnit.SECONDS.toMillis(2));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
