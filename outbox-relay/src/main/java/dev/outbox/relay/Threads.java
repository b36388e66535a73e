package dev.outbox.relay;

import dev.outbox.MisuseException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Makes the threads of one relay, whose names say which relay of the process it is. Safe for use by several threads.
 */
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
        Gate gate = new Gate(task);
        Thread thread = factory == null ? new Thread(gate) : factory.newThread(gate);
        if (thread == null) {
            throw new MisuseException("The relay's ThreadFactory returned no thread; it must return one, or throw.");
        }
        if (thread.getState() != Thread.State.NEW) {
            throw new MisuseException("The relay's ThreadFactory returned a thread that was started already; it must"
                    + " return one that is not, as Thread.ofVirtual().factory() does.");
        }
        gate.open = true;
        if (factory == null) {
            thread.setDaemon(daemon);
        }
        thread.setName(prefix + name);
        return thread;
    }

    /** A thread that a factory has started on its own finds it closed, and does nothing: nobody knows of it. */
    private static final class Gate implements Runnable {
        private final Runnable task;
        private volatile boolean open;

        Gate(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (open) {
                task.run();
            }
        }
    }
}
