package dev.outbox.store.jooq.internal.wakeup;

import dev.outbox.ConfigurationException;
import dev.outbox.StoreOptions;
import dev.outbox.WakeUps;
import dev.outbox.internal.Log;
import dev.outbox.internal.Outage;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.connection.PoolerDetection;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.schema.NotifyTrigger;
import dev.outbox.store.support.RetryPause;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/**
 * Listens to the notifications of {@link NotifyTrigger}, on a connection and a thread of its own. Only a hint: while
 * the connection is lost nothing is heard, so its listeners are called once when there is a new one.
 *
 * <p>The connection is never in a transaction while it waits, so it keeps neither VACUUM nor the queue of notifications
 * from being cleaned up.
 */
public final class WakeUpListener implements AutoCloseable {
    private static final Log LOG = Log.of(WakeUpListener.class);
    private static final Log SPARING = LOG.sparing();
    private static final AtomicInteger NUMBER = new AtomicInteger();

    /** After so long a silence the server is asked whether it is still there. */
    private static final Duration SILENCE = Duration.ofSeconds(10);

    /** How long a connection that is not ours may keep {@link #close} waiting: it is not broken off to end the wait. */
    private static final Duration LOOK = Duration.ofMillis(200);

    private static final long SHORT_OF_MEMORY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private static final Duration TEST = Duration.ofSeconds(5);

    /** One subscription, which is itself and no other: a listener may have several. */
    private static final class Subscriber {
        private final Runnable listener;

        private Subscriber(Runnable listener) {
            this.listener = listener;
        }
    }

    private final Dialect dialect;
    private final Connections source;
    private final boolean own;
    private final List<Subscriber> subscribers = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;
    private volatile @Nullable BorrowedConnection borrowed;

    private WakeUpListener(Dialect dialect, Connections source, boolean own, BorrowedConnection first) {
        this.dialect = dialect;
        this.source = source;
        this.own = own;
        this.borrowed = first;
        this.thread = new Thread(this::run, "outbox-listener-" + NUMBER.incrementAndGet());
        thread.setDaemon(true);
    }

    /**
     * Listens from now on.
     *
     * @param source where connections to listen on come from, one at a time
     * @param own whether they are opened for this alone, and may be broken off
     * @param notifying where other connections come from
     * @throws ConfigurationException if notifications do not come through
     */
    public static WakeUpListener start(Dialect dialect, Connections source, boolean own, Connections notifying)
            throws SQLException {
        BorrowedConnection first = source.borrow();
        try {
            boolean pooled = PoolerDetection.isBetween(first.connection());
            postgres(first.connection());
            listen(first.connection(), dialect);
            if (pooled) {
                checkSession(first.connection(), dialect, notifying);
            }
            WakeUpListener listener = new WakeUpListener(dialect, source, own, first);
            listener.thread.start();
            return listener;
        } catch (NoClassDefFoundError e) {
            first.close();
            throw noDriver("there is none on the class path", e);
        } catch (SQLException | RuntimeException | Error e) {
            forget(first);
            throw e;
        }
    }

    public WakeUps.Subscription subscribe(Runnable listener) {
        Subscriber subscriber = new Subscriber(listener);
        subscribers.add(subscriber);
        return () -> subscribers.remove(subscriber);
    }

    /** Listens. A second call only matters if the tables were made again meanwhile. */
    private static void listen(Connection connection, Dialect dialect) throws SQLException {
        execute(connection, "LISTEN " + NotifyTrigger.channel(connection, dialect));
    }

    private static PGConnection postgres(Connection connection) throws SQLException {
        if (!connection.isWrapperFor(PGConnection.class)) {
            throw noDriver("the pool hands out " + connection.getClass().getName() + ", which unwrap to none", null);
        }
        return connection.unwrap(PGConnection.class);
    }

    private static ConfigurationException noDriver(String why, @Nullable Throwable cause) {
        return new ConfigurationException(
                "Option " + StoreOptions.WAKE_UP
                        + "=true needs connections of the driver org.postgresql:postgresql, and " + why
                        + ". Use that driver, or leave the option out.",
                cause);
    }

    /**
     * A pooler between us and the server may execute LISTEN on one of its connections and lend that to others. So where
     * there is one, a notification is sent round to see.
     */
    private static void checkSession(Connection connection, Dialect dialect, Connections notifying)
            throws SQLException {
        try (BorrowedConnection other = notifying.borrow()) {
            execute(other.connection(), "NOTIFY " + NotifyTrigger.channel(other.connection(), dialect));
        }
        if (!hears(postgres(connection), TEST)) {
            throw new ConfigurationException("Option " + StoreOptions.WAKE_UP
                    + "=true does not work here: a notification sent"
                    + " over another connection did not come within " + TEST.toSeconds() + " s. A pooler between this"
                    + " process and the server, such as PgBouncer in transaction mode, does not keep sessions. Open the"
                    + " store at the server's own address, or leave the option out.");
        }
    }

    private static boolean hears(PGConnection postgres, Duration atMost) throws SQLException {
        PGNotification @Nullable [] heard = postgres.getNotifications((int) atMost.toMillis());
        return heard != null && heard.length > 0;
    }

    private void run() {
        RetryPause pause = new RetryPause();
        Outage outage = new Outage(
                LOG,
                "[OUTBOX-209] Not listening for notifications, messages are found by polling: {}",
                "[OUTBOX-208] Listening for notifications again");
        while (!isClosed()) {
            try {
                BorrowedConnection current = borrowed;
                if (current == null) {
                    current = source.borrow();
                    borrowed = current;
                    listen(current.connection(), dialect);
                }
                if (outage.works()) {
                    wakeAll();
                }
                pause.reset();
                hear(current.connection());
            } catch (SQLException | RuntimeException | Error e) { // memory may run out, and there is more later
                if (isClosed()) {
                    break;
                }
                tryAgainLater(e, outage, pause);
            }
        }
        forget(borrowed);
    }

    /** Memory may run out here, too, and must not end the thread. */
    private void tryAgainLater(Throwable e, Outage outage, RetryPause pause) {
        try {
            outage.failed(e.getMessage());
        } catch (Error again) {
            // the next failure says it
        }
        try {
            BorrowedConnection broken = borrowed;
            borrowed = null;
            forget(broken);
            pause(pause.next());
        } catch (Error again) {
            LockSupport.parkNanos(SHORT_OF_MEMORY_NANOS);
        }
    }

    /** Returns once the listener is closed. */
    private void hear(Connection connection) throws SQLException {
        PGConnection postgres = postgres(connection);
        long lastHeard = System.nanoTime();
        while (!isClosed()) {
            if (hears(postgres, own ? SILENCE : LOOK)) {
                lastHeard = System.nanoTime();
                wakeAll();
            } else if (System.nanoTime() - lastHeard >= SILENCE.toNanos()) {
                listen(connection, dialect);
                lastHeard = System.nanoTime();
            }
        }
        execute(connection, "UNLISTEN *");
        BorrowedConnection clean = borrowed;
        borrowed = null;
        if (clean != null) {
            clean.close();
        }
    }

    private void wakeAll() {
        for (Subscriber subscriber : subscribers) {
            try {
                subscriber.listener.run();
            } catch (RuntimeException e) {
                SPARING.warn("[OUTBOX-210] A listener for wake-ups failed", e);
            }
        }
    }

    private void pause(Duration pause) {
        try {
            if (closed.await(pause.toNanos(), TimeUnit.NANOSECONDS)) {
                LOG.debug("Listening for notifications ends");
            }
        } catch (InterruptedException e) {
            // Nobody else has this thread; closing is how to end it.
        }
    }

    private boolean isClosed() {
        return closed.getCount() == 0;
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Breaks a connection off, so that nobody gets it who would hear what is not for him. */
    private static void forget(@Nullable BorrowedConnection borrowed) {
        if (borrowed != null) {
            try {
                borrowed.connection().abort(Runnable::run);
            } catch (SQLException | RuntimeException e) {
                // gone already
            } finally {
                borrowed.close();
            }
        }
    }

    /** Waits for the thread, so that nothing of it outlives the store. */
    @Override
    public void close() {
        subscribers.clear();
        closed.countDown();
        BorrowedConnection open = borrowed;
        if (own && open != null) {
            try {
                open.connection().abort(Runnable::run);
            } catch (SQLException | RuntimeException e) {
                // gone already
            }
        }
        boolean interrupted = false;
        long deadline = System.nanoTime() + TEST.toNanos();
        while (thread.isAlive() && System.nanoTime() < deadline && Thread.currentThread() != thread) {
            try {
                thread.join(100);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
