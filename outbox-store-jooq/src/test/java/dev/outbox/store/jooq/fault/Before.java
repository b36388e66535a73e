package dev.outbox.store.jooq.fault;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Statement;
import javax.sql.DataSource;

/** An application's pool whose connections do something just before they are asked to commit, or to roll back. */
final class Before {
    private Before() {}

    static DataSource commit(DataSource pool, Runnable action) {
        return of(pool, "commit", action);
    }

    static DataSource rollback(DataSource pool, Runnable action) {
        return of(pool, "rollback", action);
    }

    private static DataSource of(DataSource pool, String name, Runnable action) {
        return proxy(DataSource.class, (proxy, method, arguments) -> {
            Object result = call(pool, method, arguments);
            return result instanceof Connection connection ? connection(connection, name, action) : result;
        });
    }

    private static Connection connection(Connection connection, String name, Runnable action) {
        return proxy(Connection.class, (proxy, method, arguments) -> {
            if (method.getName().equals(name)) {
                action.run();
            }
            Object result = call(connection, method, arguments);
            return method.getName().equals("createStatement") ? statement((Statement) result, name, action) : result;
        });
    }

    /** Where transactions end by statements. */
    private static Statement statement(Statement statement, String name, Runnable action) {
        return proxy(Statement.class, (proxy, method, arguments) -> {
            if (method.getName().equals("execute") && name.equalsIgnoreCase((String) arguments[0])) {
                action.run();
            }
            return call(statement, method, arguments);
        });
    }

    private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
