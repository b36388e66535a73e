package dev.outbox.rabbitmq;

import com.rabbitmq.client.AuthenticationFailureException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.PossibleAuthenticationFailureException;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.DefaultExceptionHandler;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.ConfigurationException;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Makes the one connection, and makes it again when it is gone. The client's own recovery is off: it opens channels
 * again that count from one, and nobody could tell which confirms are for which messages.
 */
final class Connector {
    private static final int HEARTBEAT_SECONDS = 10;
    private static final int LONGEST_STEP_MILLIS = 5_000;
    private static final long PAUSE = TimeUnit.SECONDS.toNanos(1);

    private final ConnectionFactory factory;
    private final String name;
    private final String exchange;
    private final Errors errors;
    private final ReentrantLock lock = new ReentrantLock();

    private volatile @Nullable Link link;
    private volatile boolean closed;

    /** Of the connection that was made last, or is being made. */
    private volatile @Nullable Socket lastSocket;

    // Guarded by the lock.
    private @Nullable Exception lastFailure;
    private long notBefore;

    Connector(ConnectionFactory given, String exchange, Errors errors, Duration limit, String name) {
        this.exchange = exchange;
        this.errors = errors;
        this.name = name;
        // Connecting has four steps that may hang, and all of them together must leave time for a confirm.
        int step = (int) Math.max(1, Math.min(LONGEST_STEP_MILLIS, limit.toMillis() / 5));
        factory = given.clone();
        factory.setAutomaticRecoveryEnabled(false);
        factory.setTopologyRecoveryEnabled(false);
        factory.setConnectionTimeout(shorter(factory.getConnectionTimeout(), step));
        factory.setHandshakeTimeout(shorter(factory.getHandshakeTimeout(), step));
        factory.setChannelRpcTimeout(shorter(factory.getChannelRpcTimeout(), step));
        factory.setRequestedHeartbeat(shorter(factory.getRequestedHeartbeat(), HEARTBEAT_SECONDS));
        factory.setSocketConfigurator(factory.getSocketConfigurator().andThen(socket -> lastSocket = socket));
        factory.setThreadFactory(task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
        if (factory.getExceptionHandler().getClass() == DefaultExceptionHandler.class) {
            factory.setExceptionHandler(new Quiet());
        }
    }

    private static int shorter(int value, int most) {
        return value <= 0 ? most : Math.min(value, most);
    }

    /** The connection that there is, open or not. */
    @Nullable
    Link current() {
        return link;
    }

    /** A connection that takes messages, as far as anybody knows. */
    Link get() {
        Link known = link;
        if (known == null || closed || !known.isOpen()) {
            known = connected();
        }
        String blocked = known.blocked();
        if (blocked != null) {
            throw errors.away("takes no messages for now (connection.blocked): " + blocked + ".", null);
        }
        return known;
    }

    private Link connected() {
        lock.lock();
        try {
            Link known = link;
            if (closed) {
                throw errors.away("is not used any longer: the publisher is closed. Close it after the relay.", null);
            }
            if (known != null && known.isOpen()) {
                return known;
            }
            Exception failure = lastFailure;
            if (failure != null && System.nanoTime() - notBefore < 0) {
                throw errors.away(textOf(failure), failure);
            }
            Link made = connect();
            if (closed) {
                made.drop();
                throw new IOException("the publisher is closed");
            }
            lastFailure = null;
            link = made;
            return made;
        } catch (BrokerUnavailableException e) {
            throw e;
        } catch (IOException | TimeoutException | RuntimeException e) { // of a provider of credentials, for example
            lastFailure = e;
            notBefore = System.nanoTime() + PAUSE;
            throw errors.away(textOf(e), e);
        } finally {
            lock.unlock();
        }
    }

    private Link connect() throws IOException, TimeoutException {
        lastSocket = null;
        errors.forgetMaxSize();
        Connection connection = factory.newConnection(name);
        Link made = new Link(connection, lastSocket);
        try {
            if (lastSocket == null) {
                throw new NoSocketException();
            }
            if (!exchange.isEmpty()) { // the default exchange is there, and may not be asked for
                Channel asking = connection.createChannel();
                if (asking == null) {
                    throw new IOException("the connection allows no channel");
                }
                asking.exchangeDeclarePassive(exchange);
                asking.close();
            }
            return made;
        } catch (IOException | TimeoutException | RuntimeException e) {
            made.drop();
            throw e;
        }
    }

    /**
     * Connects for the first time.
     *
     * @return why the broker is away, or null if it is not
     * @throws ConfigurationException if it is there, and says that it will never do
     */
    @Nullable
    Exception check() {
        try {
            get();
            return null;
        } catch (RuntimeException e) {
            Throwable cause = e.getCause();
            if (cause instanceof AuthenticationFailureException
                    || cause instanceof PossibleAuthenticationFailureException) {
                throw new ConfigurationException(
                        e.getMessage() + " Check the user, the password and the virtual host.", cause);
            }
            if (cause instanceof NoSocketException) {
                throw new ConfigurationException(
                        e.getMessage() + " Give the publisher a ConnectionFactory that uses blocking I/O: neither NIO"
                                + " nor Netty.",
                        cause);
            }
            ShutdownSignalException signal = cause == null ? null : Errors.signalIn(cause);
            if (signal != null && Errors.isRefusal(signal)) {
                throw new ConfigurationException(
                        e.getMessage() + " Check the exchange, which this publisher does not create, the virtual host,"
                                + " and the rights of the user.",
                        cause);
            }
            return e;
        }
    }

    /** A connection that could not be cut: it would send messages after they were reported as failed. */
    private static final class NoSocketException extends IOException {
        private static final long serialVersionUID = 1L;

        NoSocketException() {
            super("the ConnectionFactory does not show the socket of its connection");
        }
    }

    private static String textOf(Exception failure) {
        ShutdownSignalException signal = Errors.signalIn(failure);
        String text = signal == null || signal.getReason() == null
                ? "cannot be connected to: " + failure
                : Errors.textOf(signal);
        return text.endsWith(".") ? text : text + ".";
    }

    /** Takes no more messages. */
    void refuse() {
        closed = true;
    }

    /** Ends the connection. */
    void close(boolean isIdle) {
        closed = true;
        Link last = link;
        if (last != null && isIdle) {
            last.close();
        } else if (last != null) {
            last.drop();
        }
        Link.reset(lastSocket); // of a thread that is connecting just now
        lock.lock();
        try {
            Link made = link;
            if (made != null && made != last) {
                made.drop();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Every error is in the failure of a message, so the log need not have it, too. */
    private static final class Quiet extends DefaultExceptionHandler {
        @Override
        public void handleUnexpectedConnectionDriverException(Connection connection, Throwable exception) {
            // the shutdown listeners are told
        }
    }
}
