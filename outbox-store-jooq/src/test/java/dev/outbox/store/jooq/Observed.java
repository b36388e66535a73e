package dev.outbox.store.jooq;

import java.io.PrintWriter;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** An application's pool that notes what is sent to the database and in what state its connections come back. */
final class Observed implements DataSource {
    /** Statements and commits, in order; a rollback without a transaction sends nothing and is left out. */
    final List<String> sent = new CopyOnWriteArrayList<>();

    /** Of each connection that came back: autoCommit, and isolation before and after. */
    final List<String> returned = new CopyOnWriteArrayList<>();

    private final String url;
    private final boolean autoCommit;
    private final int isolation;

    Observed(String url, boolean autoCommit, int isolation) {
        this.url = url;
        this.autoCommit = autoCommit;
        this.isolation = isolation;
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection connection = DriverManager.getConnection(url);
        connection.setTransactionIsolation(isolation);
        connection.setAutoCommit(autoCommit);
        return proxy(Connection.class, (proxy, method, arguments) -> {
            if (method.getName().equals("close")) {
                returned.add(connection.getAutoCommit() + " " + connection.getTransactionIsolation());
            } else if (method.getName().equals("commit")) {
                sent.add("COMMIT");
            }
            Object result = call(connection, method, arguments);
            if (result instanceof PreparedStatement statement) {
                return statement((String) arguments[0], PreparedStatement.class, statement);
            }
            return result instanceof Statement statement ? statement("", Statement.class, statement) : result;
        });
    }

    private <S extends Statement> S statement(String sql, Class<S> type, S statement) {
        return proxy(type, (proxy, method, arguments) -> {
            if (method.getName().startsWith("execute")) {
                sent.add(sql.isEmpty() ? (String) arguments[0] : sql);
            }
            return call(statement, method, arguments);
        });
    }

    private static Object call(Object target, java.lang.reflect.Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(@Nullable PrintWriter out) {}

    @Override
    public void setLoginTimeout(int seconds) {}

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
