package dev.outbox.examples.quickstart;

import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.spi.Redacted;
import dev.outbox.store.mongo.MongoOutbox;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;

/** What depends on the kind of database that a URL names. */
final class Backend {
    /** With leases, what a killed relay had comes again when its lease is over: here nobody wants to wait for long. */
    private static final Duration LEASE = Duration.ofSeconds(2);

    private Backend() {}

    private static boolean isMongo(String url) {
        return url.startsWith("mongodb");
    }

    static void requireUsable(String url) {
        if (isMongo(url) || RedisShop.accepts(url)) {
            return;
        }
        try {
            DriverManager.getDriver(url);
        } catch (SQLException e) {
            throw Failure.usage("No JDBC driver here opens " + Redacted.url(url)
                    + "; expected jdbc:postgresql://..., jdbc:mysql://..., jdbc:mariadb://..., jdbc:h2:...,"
                    + " redis://... or mongodb://...");
        }
    }

    static StoreOptions options(String url) {
        StoreOptions options = StoreOptions.defaults();
        return isMongo(url) || RedisShop.accepts(url) ? options.with(MongoOutbox.LEASE, LEASE) : options;
    }

    static Shop shop(String url, String run, Topic<Order> orders, int connections) {
        if (isMongo(url)) {
            return MongoShop.open(url, run, orders);
        }
        return RedisShop.accepts(url) ? RedisShop.open(url, run, orders) : SqlShop.open(url, run, orders, connections);
    }
}
