package dev.outbox.internal;

import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;

/**
 * Tells what this process lacks at the moment, such as a connection of a pool, from what is wrong with a message. It
 * knows exceptions of libraries by their names, because none of them is needed here.
 */
public final class Shortages {
    private static final Set<String> TYPES = Set.of(
            // HikariCP's, when no connection became free in time
            "java.sql.SQLTransientConnectionException",
            "org.apache.tomcat.jdbc.pool.PoolExhaustedException",
            "com.mongodb.MongoTimeoutException");

    private Shortages() {}

    /** Whether something failed because there was no connection, no thread or no file descriptor to be had. */
    public static boolean isOne(Throwable failure) {
        return Causes.any(failure, Shortages::isItself);
    }

    private static boolean isItself(Throwable failure) {
        if (failure instanceof RejectedExecutionException) {
            return true;
        }
        String message = message(failure);
        if (message.contains("Too many open files")) {
            return true;
        }
        // Commons Pool, which DBCP and Jedis rest on.
        if (failure instanceof NoSuchElementException
                && (message.contains("Timeout waiting for idle object") || message.contains("Pool exhausted"))) {
            return true;
        }
        for (Class<?> type = failure.getClass(); type != null; type = type.getSuperclass()) {
            if (TYPES.contains(type.getName())) {
                return true;
            }
        }
        return false;
    }

    /** It is foreign code. */
    private static String message(Throwable failure) {
        try {
            String message = failure.getMessage();
            return message == null ? "" : message;
        } catch (Throwable e) {
            return "";
        }
    }
}
