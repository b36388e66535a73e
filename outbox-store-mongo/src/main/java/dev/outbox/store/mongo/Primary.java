package dev.outbox.store.mongo;

import com.mongodb.client.MongoClient;
import dev.outbox.internal.Log;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.bson.BsonDocument;
import org.bson.BsonInt32;

/**
 * Whether a server is known that takes writes. The driver waits for one in each of its calls, for as long as its client
 * is set to. A caller that asks here first waits once, and only for as long as it helps. Safe for use by several
 * threads.
 */
final class Primary {
    private static final Log LOG = Log.of(Primary.class);
    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

    private final MongoClient client;
    private final AtomicBoolean looking = new AtomicBoolean();

    Primary(MongoClient client) {
        this.client = client;
    }

    boolean isKnown() {
        return client.getClusterDescription().hasWritableServer();
    }

    /** Waits for one; false if there is none by then, or no time was left from the beginning. */
    boolean await(Duration most) {
        long end = System.nanoTime() + most.toNanos();
        while (System.nanoTime() - end < 0) {
            if (isKnown()) {
                return true;
            }
            look();
            LockSupport.parkNanos(PAUSE);
        }
        return false;
    }

    /** The driver looks at servers every ten seconds, and immediately only while a thread waits in it for one. */
    private void look() {
        if (looking.compareAndSet(false, true)) {
            try {
                Thread thread = new Thread(this::ping, "outbox-mongo-primary");
                thread.setDaemon(true);
                thread.start();
            } catch (Error e) { // there is no room for another thread
                looking.set(false);
                throw e;
            }
        }
    }

    private void ping() {
        try {
            client.getDatabase("admin").runCommand(new BsonDocument("ping", new BsonInt32(1)));
        } catch (RuntimeException e) {
            LOG.debug("There is no server that takes writes", e);
        } finally {
            looking.set(false);
        }
    }
}
