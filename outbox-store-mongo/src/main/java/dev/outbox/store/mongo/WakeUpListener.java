package dev.outbox.store.mongo;

import com.mongodb.ReadConcern;
import com.mongodb.client.ChangeStreamIterable;
import com.mongodb.client.MongoChangeStreamCursor;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.Aggregates;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.Projections;
import com.mongodb.client.model.changestream.ChangeStreamDocument;
import dev.outbox.WakeUps;
import dev.outbox.internal.Log;
import dev.outbox.internal.Outage;
import dev.outbox.store.support.RetryPause;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.BsonDocument;
import org.jspecify.annotations.Nullable;

/**
 * Wakes listeners up when messages were committed. One change stream for all listeners of a store, open while there are
 * any, on a thread of its own. Messages are seen by polling anyway, so when it breaks it is opened again from now on,
 * and everybody is woken up once for what may have been missed.
 *
 * <p>Safe for use by several threads.
 */
final class WakeUpListener implements AutoCloseable {
    private static final Log LOG = Log.of(WakeUpListener.class);
    private static final Log SPARING = LOG.sparing();
    private static final AtomicInteger THREADS = new AtomicInteger();

    /**
     * How long the server waits for news before it answers that there are none, and so how long the thread may stay.
     */
    private static final long WAIT_MILLIS = 500;

    private final MongoCollection<BsonDocument> messages;
    private final Set<Listener> listeners = ConcurrentHashMap.newKeySet();
    private final CountDownLatch end = new CountDownLatch(1);
    private @Nullable Thread thread;
    private volatile boolean closed;

    WakeUpListener(MongoCollection<BsonDocument> messages) {
        this.messages = messages;
    }

    /** Opens one and closes it. */
    static void tryOut(MongoCollection<BsonDocument> messages) {
        watch(messages).cursor().close();
    }

    private static ChangeStreamIterable<BsonDocument> watch(MongoCollection<BsonDocument> messages) {
        return messages.withReadConcern(ReadConcern.MAJORITY) // there is no other for it
                .watch(
                        List.of(
                                Aggregates.match(Filters.eq("operationType", "insert")),
                                // Payloads are none of our business here.
                                Aggregates.project(Projections.include("operationType"))),
                        BsonDocument.class)
                .maxAwaitTime(WAIT_MILLIS, TimeUnit.MILLISECONDS);
    }

    WakeUps.Subscription add(Runnable wakeUp) {
        Listener listener = new Listener(wakeUp);
        listeners.add(listener);
        synchronized (this) {
            if (thread == null && !closed) {
                Thread started = new Thread(this::run, "outbox-mongo-wake-up-" + THREADS.incrementAndGet());
                started.setDaemon(true);
                started.start();
                thread = started;
            }
        }
        return () -> listeners.remove(listener);
    }

    @Override
    public void close() {
        closed = true;
        listeners.clear();
        end.countDown();
    }

    private void run() {
        try {
            listen();
        } finally {
            ended(); // by an error too: a later subscription starts another
        }
    }

    private synchronized void ended() {
        if (Thread.currentThread().equals(thread)) {
            thread = null;
        }
    }

    private void listen() {
        RetryPause pause = new RetryPause();
        Outage outage = new Outage(
                LOG,
                "[OUTBOX-304] Wake-ups fail, messages are found by polling meanwhile: {}",
                "[OUTBOX-303] Wake-ups work again");
        while (isWanted()) {
            try (MongoChangeStreamCursor<ChangeStreamDocument<BsonDocument>> news =
                    watch(messages).cursor()) {
                outage.works();
                wakeAll();
                pause.reset();
                while (!closed && !listeners.isEmpty()) {
                    if (news.getServerCursor() == null) {
                        // The collection is gone, or has another name: the server has ended the stream without an
                        // error.
                        pause(pause.next());
                        break;
                    }
                    if (news.tryNext() != null) {
                        takeWhatIsThere(news);
                        wakeAll();
                    }
                }
            } catch (RuntimeException | Error e) { // also when the heap was full
                if (!closed) {
                    outage.failed(e.toString());
                }
                pause(pause.next());
            }
        }
    }

    /** A wake-up is for all messages that are there: those that came together need one. */
    private static void takeWhatIsThere(MongoChangeStreamCursor<ChangeStreamDocument<BsonDocument>> news) {
        for (int left = news.available(); left > 0; left--) {
            news.next();
        }
    }

    /** False, once, if the thread must end; a later subscription starts another. */
    private synchronized boolean isWanted() {
        if (closed || listeners.isEmpty()) {
            thread = null;
            return false;
        }
        return true;
    }

    private void wakeAll() {
        for (Listener listener : listeners) {
            try {
                listener.wakeUp.run();
            } catch (RuntimeException | Error e) {
                SPARING.warn("[OUTBOX-305] A listener for wake-ups failed", e);
            }
        }
    }

    private void pause(Duration pause) {
        try {
            if (end.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.debug("Wake-ups end");
            }
        } catch (InterruptedException e) {
            LOG.debug("Interrupted; wake-ups go on until they are closed", e);
        }
    }

    /** One subscription; two of the same runnable are two. */
    private static final class Listener {
        final Runnable wakeUp;

        Listener(Runnable wakeUp) {
            this.wakeUp = wakeUp;
        }
    }
}
