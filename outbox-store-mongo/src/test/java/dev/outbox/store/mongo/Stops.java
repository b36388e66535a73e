package dev.outbox.store.mongo;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.event.CommandListener;
import com.mongodb.event.CommandStartedEvent;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Stops threads just before they send a command: to the server they are as if their process were paused there, or dead,
 * until they may go on.
 */
final class Stops implements CommandListener {
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final CountDownLatch stopped = new CountDownLatch(1);
    private volatile @Nullable Predicate<CommandStartedEvent> where;

    /** A client whose commands go through this. */
    MongoClient client(String url) {
        return MongoClients.create(MongoClientSettings.builder()
                .applyConnectionString(new ConnectionString(url))
                .addCommandListener(this)
                .build());
    }

    void at(Predicate<CommandStartedEvent> where) {
        this.where = where;
    }

    boolean awaitStop(long millis) throws InterruptedException {
        return stopped.await(millis, TimeUnit.MILLISECONDS);
    }

    void goOn() {
        where = null;
        goOn.countDown();
    }

    @Override
    public void commandStarted(CommandStartedEvent event) {
        Predicate<CommandStartedEvent> here = where;
        if (here != null && here.test(event)) {
            stopped.countDown();
            boolean on = false;
            while (!on) {
                try {
                    on = goOn.await(1, TimeUnit.MINUTES);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }
}
