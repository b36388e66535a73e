package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.MisuseException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import java.util.List;
import javax.sql.DataSource;
import org.jooq.SQLDialect;
import org.jooq.impl.DataSourceConnectionProvider;
import org.jooq.impl.DefaultConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Ways into a transaction of Spring, over a pool with auto-commit on and off. They are the same on every database. */
@Timeout(300)
class SpringTransactionsTest {
    private final H2Harness harness = new H2Harness();
    private String address = "";

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        harness.dropOutbox(address);
    }

    private HikariDataSource pool(boolean autoCommit) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(address);
        config.setAutoCommit(autoCommit);
        return new HikariDataSource(config);
    }

    /** As the documentation has it. */
    private static PersistFunc jdbc(DataSource pool) {
        return JdbcOutbox.persist(() -> TransactionSynchronizationManager.isActualTransactionActive()
                ? DataSourceUtils.getConnection(pool)
                : null);
    }

    /** As Spring Boot sets jOOQ up. */
    private static PersistFunc jooq(DataSource pool) {
        DefaultConfiguration configuration = new DefaultConfiguration();
        configuration.setConnectionProvider(
                new DataSourceConnectionProvider(new TransactionAwareDataSourceProxy(pool)));
        configuration.setSQLDialect(SQLDialect.H2);
        return JooqOutbox.persist(configuration);
    }

    private static void write(PersistFunc persist, String text) {
        persist.persist(StoreTest.message(0, text));
    }

    private void assertPublished(String... texts) {
        try (Store store = Stores.open(address)) {
            assertEquals(List.of(texts), StoreTest.publishAll(store, 100));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theTransactionOfTheThreadIsShared(boolean autoCommit) {
        try (HikariDataSource pool = pool(autoCommit)) {
            TransactionTemplate outer = new TransactionTemplate(new DataSourceTransactionManager(pool));
            TransactionTemplate own = new TransactionTemplate(new DataSourceTransactionManager(pool));
            own.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
            for (PersistFunc persist : List.of(jdbc(pool), jooq(pool))) {
                outer.executeWithoutResult(status -> write(persist, "committed"));
                outer.executeWithoutResult(status -> {
                    write(persist, "rolled back");
                    own.executeWithoutResult(inner -> write(persist, "committed on its own"));
                    status.setRollbackOnly();
                });
            }
            assertEquals(0, pool.getHikariPoolMXBean().getActiveConnections());
        }
        assertPublished("committed", "committed on its own", "committed", "committed on its own");
    }

    /** A supplier can ask Spring. A context of jOOQ has only the connection to go by. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void outsideOfATransactionItIsRefusedIfThatCanBeKnown(boolean autoCommit) {
        try (HikariDataSource pool = pool(autoCommit)) {
            assertTrue(assertThrows(MisuseException.class, () -> write(jdbc(pool), "refused"))
                    .getMessage()
                    .contains("returned null"));
            if (autoCommit) {
                assertTrue(assertThrows(MisuseException.class, () -> write(jooq(pool), "refused"))
                        .getMessage()
                        .contains("auto-commit mode and in no transaction"));
            } else {
                write(jooq(pool), "taken back by the pool");
            }
            assertEquals(0, pool.getHikariPoolMXBean().getActiveConnections());
        }
        assertPublished();
    }

    /** The document warns of it: Spring commits by setting auto-commit on again, and otherwise the pool rolls back. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void afterTheCommitOfSpringAMessageIsOnItsOwn(boolean autoCommit) {
        try (HikariDataSource pool = pool(autoCommit)) {
            TransactionTemplate transaction = new TransactionTemplate(new DataSourceTransactionManager(pool));
            for (PersistFunc persist : List.of(jdbc(pool), jooq(pool))) {
                transaction.executeWithoutResult(status -> {
                    write(persist, "in it");
                    TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                        @Override
                        public void afterCommit() {
                            write(persist, "after it");
                        }
                    });
                });
            }
        }
        assertPublished(
                autoCommit ? new String[] {"in it", "after it", "in it", "after it"} : new String[] {"in it", "in it"});
    }

    /** A store would end the transaction of the thread that calls an operation. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aStoreIsNotOpenedOnTheTransactionsOfOthers(boolean autoCommit) {
        try (HikariDataSource pool = pool(autoCommit)) {
            DataSource proxy = new TransactionAwareDataSourceProxy(pool);
            TransactionTemplate transaction = new TransactionTemplate(new DataSourceTransactionManager(pool));
            transaction.executeWithoutResult(status -> {
                write(jdbc(pool), "rolled back");
                for (Runnable store : List.<Runnable>of(
                        () -> JdbcOutbox.store(proxy, StoreOptions.defaults()).close(),
                        () -> JdbcOutbox.createSchema(proxy))) {
                    String text = assertThrows(ConfigurationException.class, store::run)
                            .getMessage();
                    assertTrue(text.contains("pass the DataSource that the proxy is for"), text);
                }
                status.setRollbackOnly();
            });
        }
        assertPublished();
    }
}
