package dev.outbox.spring;

import dev.outbox.relay.Relay;
import dev.outbox.relay.RelayState;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.SmartLifecycle;

/**
 * Runs a {@link Relay} while the application context runs. With the default phase it starts before the web server takes
 * requests. It stops after the web server has finished its requests, and before the clients of brokers and the pools
 * are closed. Each start makes a new relay, so a context can be stopped and started again. Safe for use by several
 * threads.
 *
 * <p>A relay needs up to its {@linkplain Relay.Builder#shutdownTimeout shutdown time} and 5 seconds to stop. Unless it
 * is told otherwise, an application context waits for 10 seconds in each phase, and one of Spring Boot for 30 seconds.
 * Then it goes on, and stops what is in lower phases, such as clients of brokers.
 */
public final class OutboxRelay implements SmartLifecycle, DisposableBean {
    /** The phase unless another is given. Spring Boot's web servers are in higher phases, so they stop earlier. */
    public static final int DEFAULT_RELAY_PHASE = DEFAULT_PHASE - 3072;

    private final Supplier<Relay> relays;
    private final int phase;
    private volatile boolean autoStartup = true;

    // Written with the lock of this.
    private volatile @Nullable Relay relay;

    /**
     * A relay that is woken up by the commits of an outbox.
     *
     * @param relays builds a new relay, not started yet, at each start
     */
    public OutboxRelay(SpringOutbox outbox, Supplier<Relay> relays) {
        this(outbox, relays, DEFAULT_RELAY_PHASE);
    }

    /** The same in another phase; phases start in rising order and stop in falling order. */
    public OutboxRelay(SpringOutbox outbox, Supplier<Relay> relays, int phase) {
        this.relays = Objects.requireNonNull(relays, "relays");
        this.phase = phase;
        outbox.onCommit(this::wakeUp);
    }

    @Override
    public synchronized void start() {
        if (relay == null) {
            Relay made = relays.get();
            made.start();
            relay = made;
        }
    }

    /** Waits until the relay has stopped. */
    @Override
    public synchronized void stop() {
        Relay running = relay;
        if (running != null) {
            running.close();
            relay = null;
        }
    }

    /** Does not wait, so that what is in the same phase stops at the same time. */
    @Override
    public void stop(Runnable callback) {
        new Thread(
                        () -> {
                            try {
                                stop();
                            } finally {
                                callback.run();
                            }
                        },
                        "outbox-relay-stop")
                .start();
    }

    /** Stops the relay of a context that fails after the relay has started, which Spring destroys without a stop. */
    @Override
    public void destroy() {
        stop();
    }

    @Override
    public boolean isRunning() {
        return relay != null;
    }

    /**
     * Whether the relay starts with the context, which is the default. If not, {@link #start} starts it. The outbox's
     * support for tests sets this to false.
     */
    public void setAutoStartup(boolean autoStartup) {
        this.autoStartup = autoStartup;
    }

    @Override
    public boolean isAutoStartup() {
        return autoStartup;
    }

    @Override
    public int getPhase() {
        return phase;
    }

    /** Does what {@link Relay#wakeUp} does, if the relay runs. */
    public void wakeUp() {
        Relay running = relay;
        if (running != null) {
            running.wakeUp();
        }
    }

    /** How the relay is doing, or null if it does not run. Cheap. */
    public @Nullable RelayState state() {
        Relay running = relay;
        return running == null ? null : running.state();
    }
}
