package dev.outbox;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Makes the threads of one relay, whose names say which relay of the process it is. Safe for use by several threads. */
final class Threads {
    private static final AtomicInteger RELAYS = new AtomicInteger();

    private final @Nullable ThreadFactory factory;
    private final String prefix = "outbox-relay-" + RELAYS.incrementAndGet() + "-";

    /** With the factory of a user, or null for platform threads of our own. */
    Threads(@Nullable ThreadFactory factory) {
        this.factory = factory;
    }

    /**
     * A thread that is not started. A factory of the user decides whether it is a daemon: a virtual thread must not be
     * told.
     *
     * @param name what it does
     * @param daemon whether a thread of our own lets the process end
     */
    Thread make(String name, boolean daemon, Runnable task) {
        Thread thread = factory == null ? new Thread(task) : factory.newThread(task);
        if (thread == null) {
            throw new MisuseException("The relay's ThreadFactory returned no thread; it must return one, or throw.");
        }
        if (factory == null) {
            thread.setDaemon(daemon);
        }
        thread.setName(prefix + name);
        return thread;
    }
}
