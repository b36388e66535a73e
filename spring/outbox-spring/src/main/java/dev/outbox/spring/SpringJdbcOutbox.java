package dev.outbox.spring;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.store.jooq.JdbcOutbox;
import java.sql.Connection;
import java.util.List;
import java.util.function.Function;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;

/**
 * The outbox in a SQL database, in transactions of {@code JdbcTransactionManager}, of {@code
 * DataSourceTransactionManager}, of {@code JpaTransactionManager} with Hibernate, and of jOOQ with Spring's transaction
 * provider.
 *
 * <pre>{@code
 * @Bean
 * SpringOutbox outbox(OutboxTransactions transactions, DataSource dataSource) {
 *     return SpringJdbcOutbox.of(transactions, dataSource);
 * }
 * }</pre>
 */
@SuppressWarnings("exports") // who uses it requires the store, which others do not have
public final class SpringJdbcOutbox {
    private SpringJdbcOutbox() {}

    /**
     * The outbox with the default names of tables.
     *
     * @param dataSource the one that the transaction manager has; or a {@link TransactionAwareDataSourceProxy} over it
     */
    public static SpringOutbox of(OutboxTransactions transactions, DataSource dataSource) {
        return of(transactions, dataSource, JdbcOutbox::persist);
    }

    /** The same for tables with other names. */
    public static SpringOutbox of(OutboxTransactions transactions, DataSource dataSource, JdbcOutbox.Named names) {
        return of(transactions, dataSource, names::persist);
    }

    private static SpringOutbox of(
            OutboxTransactions transactions, DataSource dataSource, Function<Connection, PersistFunc> writing) {
        DataSource target = target(dataSource);
        return new SpringOutbox(
                transactions,
                target,
                "the DataSource (" + target.getClass().getName() + ")",
                new InTransaction(target, writing));
    }

    /**
     * The {@code DataSource} that a {@link TransactionAwareDataSourceProxy} is for, or else the same. A store needs it,
     * because the proxy would put the store into the transactions of its callers.
     */
    public static DataSource target(DataSource dataSource) {
        DataSource target = dataSource;
        while (target instanceof TransactionAwareDataSourceProxy proxy && proxy.getTargetDataSource() != null) {
            target = proxy.getTargetDataSource();
        }
        return target;
    }

    /** On the connection that the transaction manager has bound to the thread, which it closes later. */
    private record InTransaction(DataSource dataSource, Function<Connection, PersistFunc> writing)
            implements PersistFunc {
        @Override
        public String persist(OutgoingMessage message) {
            return persistAll(List.of(message)).get(0);
        }

        @Override
        public List<String> persistAll(List<OutgoingMessage> messages) {
            Connection connection = DataSourceUtils.getConnection(dataSource);
            try {
                return writing.apply(connection).persistAll(messages);
            } finally {
                DataSourceUtils.releaseConnection(connection, dataSource);
            }
        }
    }
}
