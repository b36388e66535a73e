package dev.outbox.spring.modulith;

import com.example.shop.Broker;
import com.example.shop.ShopApplication;
import dev.outbox.servers.PostgresServer;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionTemplate;

/** The application on a database of PostgreSQL of its own. */
record Shop(ConfigurableApplicationContext context, String database) implements AutoCloseable {
    private static final PostgresServer SERVER = PostgresServer.shared();

    /** Starts it with further configuration and properties. */
    static Shop open(List<Class<?>> configuration, String... properties) throws SQLException {
        String database = SERVER.newDatabase();
        List<Class<?>> sources = new ArrayList<>(configuration);
        sources.add(0, ShopApplication.class);
        List<String> all = new ArrayList<>(List.of(
                "spring.datasource.url=" + database,
                "spring.modulith.events.jdbc.schema-initialization.enabled=true",
                "spring.main.banner-mode=off",
                "spring.jmx.enabled=false",
                "logging.level.root=warn",
                "outbox.store.type=jdbc",
                "outbox.store.create-schema=true"));
        all.addAll(List.of(properties));
        Shop shop = new Shop(
                new SpringApplicationBuilder(sources.toArray(new Class<?>[0]))
                        .web(WebApplicationType.NONE)
                        .properties(all.toArray(new String[0]))
                        .run(),
                database);
        shop.jdbc().execute("create table completed (number varchar(20))");
        return shop;
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    Broker broker() {
        return bean(Broker.class);
    }

    JdbcTemplate jdbc() {
        return bean(JdbcTemplate.class);
    }

    List<String> completed() {
        return jdbc().queryForList("select number from completed order by number", String.class);
    }

    int waiting() {
        Integer count = jdbc().queryForObject("select count(*) from outbox_message", Integer.class);
        return count == null ? -1 : count;
    }

    /** Publishes an event in a transaction. */
    void publish(Object... events) {
        bean(TransactionTemplate.class).executeWithoutResult(status -> {
            for (Object event : events) {
                context.publishEvent(event);
            }
        });
    }

    @Override
    public void close() throws SQLException {
        context.close();
        SERVER.dropDatabase(database);
    }
}
