package dev.outbox.spring.boot.internal;

import dev.outbox.Store;
import dev.outbox.spring.OutboxTransactions;
import dev.outbox.spring.SpringJdbcOutbox;
import dev.outbox.spring.SpringOutbox;
import dev.outbox.store.jooq.JdbcOutbox;
import javax.sql.DataSource;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.jdbc.datasource.DataSourceUtils;

/** An outbox in the SQL database of the application's only data source, or of its primary one. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass({JdbcOutbox.class, DataSourceUtils.class})
@ConditionalOnSingleCandidate(DataSource.class)
@ConditionalOnMissingBean(SpringOutbox.class)
@ConditionalOnProperty(name = "outbox.store.type", havingValue = "jdbc", matchIfMissing = true)
class JdbcOutboxConfiguration {
    @Bean
    SpringOutbox springOutbox(OutboxTransactions transactions, DataSource dataSource, OutboxProperties properties) {
        return SpringJdbcOutbox.of(transactions, dataSource, names(properties));
    }

    /**
     * Opened when a relay or an operator needs it, or to create the schema. An application that only publishes need not
     * have the rights.
     */
    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    @DependsOnDatabaseInitialization
    @Lazy
    Store outboxStore(DataSource dataSource, OutboxProperties properties) {
        if (properties.relay().enabled()) {
            int listeners = Boolean.TRUE.equals(properties.store().wakeUp()) ? 1 : 0;
            PoolSize.check(dataSource, properties.relay().workers() + listeners);
        }
        return names(properties).store(SpringJdbcOutbox.target(dataSource), StoreSettings.options(properties.store()));
    }

    private static JdbcOutbox.Named names(OutboxProperties properties) {
        String prefix = properties.store().prefix();
        return JdbcOutbox.named(prefix == null ? "outbox_" : prefix);
    }
}
