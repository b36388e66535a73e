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
            // c3p0's, when no connection became free in time, and when none could be made
            "com.mchange.v2.resourcepool.TimeoutException",
            "com.mchange.v2.resourcepool.CannotAcquireResourceException",
            "com.mongodb.MongoTimeoutException");

    /** MongoDB's, if {@code timeoutMS} is set: the limit on a whole operation, with the wait for a connection in it. */
    private static final String OPERATION = "com.mongodb.MongoOperationTimeoutException";

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
        // Agroal, whose exceptions have no type of their own.
        if (failure.getClass().getName().equals("java.sql.SQLException")
                && (message.startsWith("Sorry, acquisition timeout") || message.startsWith("Acquisition timeout"))) {
            return true;
        }
        if (failure.getClass().getName().equals(OPERATION)) {
            // For a connection or a server. An operation that takes too long by itself may do so at each attempt.
            return message.contains("while waiting for a ");
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
