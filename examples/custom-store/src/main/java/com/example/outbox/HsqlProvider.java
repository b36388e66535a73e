package com.example.outbox;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.StoreProvider;
import java.time.Duration;

/** Lets {@code Stores.open("jdbc:hsqldb:hsql://…")} find this store. */
public final class HsqlProvider implements StoreProvider {
    @Override
    public boolean accepts(String url) {
        return url.startsWith("jdbc:hsqldb:");
    }

    @Override
    public Store open(String url, StoreOptions options) {
        options.requireKnown();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        try {
            HikariDataSource pool = new HikariDataSource(config);
            return new HsqlStore(pool, Duration.ofSeconds(30), pool::close);
        } catch (RuntimeException e) {
            throw new StoreException("There is no connection to HSQLDB: " + e.getMessage(), e);
        }
    }

    @Override
    public String description() {
        return "outbox-store-hsqldb: jdbc:hsqldb:";
    }
}
