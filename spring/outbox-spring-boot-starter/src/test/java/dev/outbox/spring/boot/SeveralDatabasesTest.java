package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.Codecs;
import dev.outbox.MisuseException;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.spring.OutboxPublisher;
import dev.outbox.spring.OutboxTransactions;
import dev.outbox.spring.SpringJdbcOutbox;
import dev.outbox.spring.SpringOutbox;
import dev.outbox.store.jooq.JdbcOutbox;
import dev.outbox.store.jooq.SqlDatabase;
import java.util.List;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.jdbc.init.DataSourceScriptDatabaseInitializer;
import org.springframework.boot.sql.init.DatabaseInitializationSettings;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;

/** An application with two data sources, one of which has the outbox. */
class SeveralDatabasesTest {
    @Test
    void theOutboxIsInOneOfThem() throws Exception {
        try (ConfigurableApplicationContext application = Applications.run(TwoDatabases.class)) {
            assertEquals(List.of(), application.getBean(Migrations.class).tablesBefore);
            UseCase useCase = application.getBean(UseCase.class);
            useCase.inTheShop("SO-1");
            assertThrows(MisuseException.class, () -> useCase.inTheArchive("SO-2"));
            Broker broker = application.getBean(Broker.class);
            Await.until("the order is published", () -> !broker.sent.isEmpty());
            assertEquals(List.of("SO-1"), broker.sent);
        }
    }

    static class UseCase {
        private final OutboxPublisher<String> orders;

        UseCase(OutboxPublisher<String> orders) {
            this.orders = orders;
        }

        @Transactional("shopTransactions")
        public void inTheShop(String number) {
            orders.publish(number);
        }

        @Transactional("archiveTransactions")
        public void inTheArchive(String number) {
            orders.publish(number);
        }
    }

    /** Migrations of the application, which make the tables of the outbox. */
    static class Migrations extends DataSourceScriptDatabaseInitializer {
        private final List<String> tablesBefore;

        Migrations(DataSource shop) {
            super(shop, new DatabaseInitializationSettings());
            JdbcTemplate jdbc = new JdbcTemplate(shop);
            tablesBefore = jdbc.queryForList(
                    "select table_name from information_schema.tables where table_schema = 'PUBLIC'", String.class);
            jdbc.execute(JdbcOutbox.ddl(SqlDatabase.H2));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableTransactionManagement
    static class TwoDatabases {
        @Bean
        SpringOutbox outbox(OutboxTransactions transactions, @Qualifier("shop") DataSource shop) {
            return SpringJdbcOutbox.of(transactions, shop);
        }

        @Bean
        @DependsOnDatabaseInitialization
        Store store(@Qualifier("shop") DataSource shop) {
            return JdbcOutbox.store(shop, StoreOptions.defaults());
        }

        @Bean
        Migrations migrations(@Qualifier("shop") DataSource shop) {
            return new Migrations(shop);
        }

        @Bean
        DataSource shop() {
            return dataSource("several-shop");
        }

        @Bean
        @Primary
        DataSource archive() {
            return dataSource("several-archive");
        }

        @Bean
        PlatformTransactionManager shopTransactions(@Qualifier("shop") DataSource shop) {
            return new JdbcTransactionManager(shop);
        }

        @Bean
        @Primary
        PlatformTransactionManager archiveTransactions(@Qualifier("archive") DataSource archive) {
            return new JdbcTransactionManager(archive);
        }

        @Bean
        Broker broker() {
            return new Broker();
        }

        @Bean
        Topic<String> orders(Broker broker) {
            return Topic.builder("orders", Codecs.text())
                    .publisher(broker::send)
                    .build();
        }

        @Bean
        UseCase useCase(OutboxPublisher<String> orders) {
            return new UseCase(orders);
        }

        private static DataSource dataSource(String name) {
            JdbcDataSource dataSource = new JdbcDataSource();
            dataSource.setUrl("jdbc:h2:mem:" + name + ";DB_CLOSE_DELAY=-1");
            return dataSource;
        }
    }
}
