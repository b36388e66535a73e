package dev.outbox.spring;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.store.jooq.JdbcOutbox;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.jdbc.core.JdbcTemplate;

/** A database of H2 with the tables of an outbox and one of the application, and the pool of the application. */
final class Database implements AutoCloseable {
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    final HikariDataSource pool;

    Database(boolean autoCommit) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:h2:mem:spring" + NUMBERS.incrementAndGet());
        config.setAutoCommit(autoCommit);
        config.setMaximumPoolSize(8);
        pool = new HikariDataSource(config);
        JdbcOutbox.createSchema(pool);
        try (java.sql.Connection connection = pool.getConnection();
                java.sql.Statement statement = connection.createStatement()) {
            statement.execute("create table orders (number varchar(100))");
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** The messages that were committed, in the order in which they were written. */
    List<String> messages() {
        return new JdbcTemplate(pool)
                .query(
                        "select payload from outbox_message order by id",
                        (row, number) -> new String(row.getBytes(1), StandardCharsets.UTF_8));
    }

    /** The orders that were committed. */
    List<String> orders() {
        return new JdbcTemplate(pool).queryForList("select number from orders order by number", String.class);
    }

    @Override
    public void close() {
        pool.close();
    }
}
