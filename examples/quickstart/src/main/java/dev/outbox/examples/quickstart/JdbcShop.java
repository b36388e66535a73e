package dev.outbox.examples.quickstart;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.Outbox;
import dev.outbox.Topic;
import dev.outbox.store.jooq.JooqOutbox;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.tools.jdbc.JDBCUtils;

/** The shop on a SQL database, through jOOQ. */
final class JdbcShop implements Shop {
    private static final String TABLE = """
            create table if not exists quickstart_orders (
              id %s,
              run varchar(40) not null,
              order_no varchar(60) not null,
              customer varchar(60) not null,
              sku varchar(60) not null,
              quantity int not null,
              unit_price_cents bigint not null,
              currency varchar(3) not null,
              placed_at %s not null,
              message_id varchar(200) not null,
              primary key (run, order_no)
            )""";

    private static final Set<SQLDialect> MYSQL = Set.of(SQLDialect.MYSQL, SQLDialect.MARIADB);

    private final HikariDataSource pool;
    private final DSLContext dsl;
    private final String run;
    private final Topic<Order> orders;

    private JdbcShop(HikariDataSource pool, DSLContext dsl, String run, Topic<Order> orders) {
        this.pool = pool;
        this.dsl = dsl;
        this.run = run;
        this.orders = orders;
    }

    static JdbcShop open(String url, String run, Topic<Order> orders, int connections) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(connections);
        HikariDataSource pool = new HikariDataSource(config);
        try {
            SQLDialect dialect = JDBCUtils.dialect(url);
            DSLContext dsl = DSL.using(pool, dialect);
            dsl.execute(
                    MYSQL.contains(dialect)
                            ? TABLE.formatted("bigint not null auto_increment unique", "datetime(6)")
                            : TABLE.formatted("bigint generated always as identity", "timestamp with time zone"));
            return new JdbcShop(pool, dsl, run, orders);
        } catch (DataAccessException e) {
            pool.close();
            throw Failure.usage("Cannot make the table quickstart_orders: " + e.getMessage());
        }
    }

    @Override
    public boolean take(OrderLine line) {
        try {
            dsl.transaction(tx -> {
                String messageId = Outbox.bind(orders, JooqOutbox.persist(tx)).publish(line.order());
                insert(tx, line.order(), messageId);
                if (line.declined()) {
                    throw new PaymentDeclined();
                }
            });
            return true;
        } catch (PaymentDeclined e) {
            return false;
        }
    }

    private void insert(Configuration tx, Order order, String messageId) {
        boolean isMySql = MYSQL.contains(tx.dsl().family());
        tx.dsl()
                .execute(
                        """
                        insert into quickstart_orders (run, order_no, customer, sku, quantity,
                          unit_price_cents, currency, placed_at, message_id)
                        values (?, ?, ?, ?, ?, ?, ?, %s, ?)""".formatted(isMySql ? "?" : "cast(? as timestamp with time zone)"),
                        run,
                        order.number(),
                        order.customer(),
                        order.sku(),
                        order.quantity(),
                        order.cents(),
                        order.currency(),
                        isMySql
                                ? LocalDateTime.ofInstant(order.placedAt(), ZoneOffset.UTC)
                                : order.placedAt().atOffset(ZoneOffset.UTC),
                        messageId);
    }

    /** One thread at a time writes a customer's orders, so their generated ids grow with their commits. */
    @Override
    public List<Committed> committed() {
        return dsl.fetch("select order_no, customer, message_id from quickstart_orders where run = ? order by id", run)
                .map(row ->
                        new Committed(row.get(0, String.class), row.get(1, String.class), row.get(2, String.class)));
    }

    @Override
    public void close() {
        pool.close();
    }
}
