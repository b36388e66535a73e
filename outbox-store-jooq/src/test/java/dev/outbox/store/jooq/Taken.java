package dev.outbox.store.jooq;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.sql.DataSource;

/** A pool that closes connections under those who have them. */
final class Taken {
    private final Queue<Connection> lent = new ConcurrentLinkedQueue<>();
    private final DataSource source;

    Taken(String url) {
        source = (DataSource) Proxy.newProxyInstance(
                Taken.class.getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("getConnection")) {
                        Connection connection = DriverManager.getConnection(url);
                        lent.add(connection);
                        return connection;
                    }
                    if (method.getName().equals("isWrapperFor")) {
                        return false;
                    }
                    throw new InvocationTargetException(new UnsupportedOperationException(method.getName()));
                });
    }

    DataSource source() {
        return source;
    }

    void takeAway() throws SQLException {
        for (Connection connection : lent) {
            connection.close();
        }
    }
}
