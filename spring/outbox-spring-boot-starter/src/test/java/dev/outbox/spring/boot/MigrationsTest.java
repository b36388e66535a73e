package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.Await;
import dev.outbox.spring.OutboxPublisher;
import dev.outbox.store.jooq.JdbcOutbox;
import dev.outbox.store.jooq.SqlDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.ResolvableType;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The store is opened after the migrations of the application, which may make the tables. The application has no beans
 * that wait for migrations themselves, as a {@link JdbcTemplate} does.
 */
@Tag("versions")
class MigrationsTest {
    private static final String MADE_BY_MIGRATIONS = "outbox.store.create-schema=false";

    @TempDir
    Path folder;

    @Test
    void flywayMakesTheTables() throws Exception {
        Files.writeString(folder.resolve("V1__outbox.sql"), JdbcOutbox.ddl(SqlDatabase.H2));
        publishes("spring.flyway.enabled=true", "spring.flyway.locations=filesystem:" + folder, MADE_BY_MIGRATIONS);
    }

    @Test
    void liquibaseMakesTheTables() throws Exception {
        Path script = Files.writeString(
                folder.resolve("changes.sql"),
                "--liquibase formatted sql\n--changeset shop:1\n" + JdbcOutbox.ddl(SqlDatabase.H2));
        publishes("spring.liquibase.enabled=true", "spring.liquibase.change-log=" + script.toUri(), MADE_BY_MIGRATIONS);
    }

    @Test
    void theOutboxMakesItsTablesAfterFlyway() throws Exception {
        Files.writeString(folder.resolve("V1__shop.sql"), "create table shop (name varchar(20));");
        String database = "spring.datasource.url=jdbc:h2:" + folder.resolve("shop");
        String enabled = "spring.flyway.enabled=true";
        String locations = "spring.flyway.locations=filesystem:" + folder;
        String createSchema = "outbox.store.create-schema=true";
        publishes(database, enabled, locations, createSchema);
        Files.writeString(folder.resolve("V2__shop.sql"), "insert into shop values ('corner shop');");
        try (ConfigurableApplicationContext application =
                Applications.run(Applications.Orders.class, database, enabled, locations, createSchema)) {
            assertEquals(
                    List.of("corner shop"),
                    application.getBean(JdbcTemplate.class).queryForList("select name from shop", String.class));
        }
    }

    private static void publishes(String... properties) throws Exception {
        try (ConfigurableApplicationContext application = Applications.run(Applications.Orders.class, properties)) {
            OutboxPublisher<OrderPlaced> orders = application
                    .<OutboxPublisher<OrderPlaced>>getBeanProvider(
                            ResolvableType.forClassWithGenerics(OutboxPublisher.class, OrderPlaced.class))
                    .getObject();
            new TransactionTemplate(application.getBean(PlatformTransactionManager.class))
                    .executeWithoutResult(status -> orders.publish(new OrderPlaced("SO-1")));
            Broker broker = application.getBean(Broker.class);
            Await.until("the order is published", () -> !broker.sent.isEmpty());
            assertTrue(broker.sent.get(0).contains("SO-1"), "" + broker.sent);
        }
    }
}
