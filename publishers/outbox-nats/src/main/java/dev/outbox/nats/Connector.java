package dev.outbox.nats;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.ConfigurationException;
import io.nats.client.AuthenticationException;
import io.nats.client.Connection;
import io.nats.client.ConnectionListener;
import io.nats.client.ErrorListener;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamOptions;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes the one connection, and makes it again when it is gone. The client's own reconnecting is off: it keeps messages
 * that it has not sent, and sends them when it is connected again, although they have failed meanwhile, and although
 * those before them are lost.
 */
final class Connector {
    private static final long PAUSE = TimeUnit.SECONDS.toNanos(1);
    private static final Duration LONGEST_CONNECT = Duration.ofSeconds(5);
    private static final Pattern FORBIDDEN = Pattern.compile("(?i)permissions violation for publish to \"([^\"]+)\"");

    private final Options given;
    private final Duration connectTimeout;
    private final Duration cleanup;
    private final JetStreamOptions jetStream;
    private final String stream;
    private final Errors errors;
    private final Consumer<Pending> onFailure;
    private final AtomicLong duplicates;

    /** Refuses a stream that is not fit. */
    private final Consumer<StreamConfiguration> setUp;

    private final ReentrantLock lock = new ReentrantLock();

    private volatile @Nullable Link link;
    private volatile @Nullable StreamConfiguration configuration;
    private volatile boolean closed;

    // Guarded by the lock.
    private @Nullable Exception lastFailure;
    private long notBefore;

    Connector(
            Options given,
            Duration limit,
            JetStreamOptions jetStream,
            String stream,
            Errors errors,
            Consumer<Pending> onFailure,
            AtomicLong duplicates,
            Consumer<StreamConfiguration> setUp) {
        this.given = given;
        this.jetStream = jetStream;
        this.stream = stream;
        this.errors = errors;
        this.onFailure = onFailure;
        this.duplicates = duplicates;
        this.setUp = setUp;
        connectTimeout = shortest(given.getConnectionTimeout(), LONGEST_CONNECT, limit.dividedBy(4));
        cleanup = limit.multipliedBy(2); // what is late is ended here, and long before
    }

    private static Duration shortest(Duration one, Duration... others) {
        Duration shortest = one;
        for (Duration other : others) {
            shortest = other.compareTo(shortest) < 0 ? other : shortest;
        }
        return shortest;
    }

    /** The connection that there is, open or not. */
    @Nullable
    Link current() {
        return link;
    }

    /** What the stream is set up with, as far as it was asked. */
    @Nullable
    StreamConfiguration configuration() {
        return configuration;
    }

    /** A connection that takes messages, as far as anybody knows. */
    Link get() {
        Link known = link;
        return known == null || closed || !known.isOpen() ? connected() : known;
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
            if (known != null) { // all on it have failed before there is another
                known.awaitClosed(connectTimeout);
                known.end(pending -> errors.away("is gone: the connection was lost.", null));
            }
            Exception failure = lastFailure;
            if (failure != null && System.nanoTime() - notBefore < 0) {
                throw away(failure);
            }
            Link made = connect();
            if (closed) {
                made.close();
                throw new IOException("the publisher is closed");
            }
            lastFailure = null;
            link = made;
            return made;
        } catch (BrokerUnavailableException e) {
            throw e;
        } catch (IOException | JetStreamApiException | RuntimeException e) { // the client throws many kinds
            lastFailure = e;
            notBefore = System.nanoTime() + PAUSE;
            throw away(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw errors.away("was not connected to: the thread was interrupted.", e);
        } finally {
            lock.unlock();
        }
    }

    private RuntimeException away(Exception failure) {
        String text = Errors.redacted(String.valueOf(failure.getMessage()));
        return errors.away("cannot be used: " + text + (text.endsWith(".") ? "" : "."), Errors.redacted(failure));
    }

    private Link connect() throws IOException, InterruptedException, JetStreamApiException {
        Listener listener = new Listener(given.getConnectionListener(), given.getErrorListener());
        Options options = new Options.Builder(given)
                .maxReconnects(0)
                .reconnectBufferSize(0)
                .connectionTimeout(connectTimeout)
                .requestCleanupInterval(cleanup)
                .clientSideLimitChecks(true)
                // The writer sends what is there, and waits for nothing. Otherwise each message is a write of its own.
                .dontForceFlushOnRequest()
                .connectionListener(listener)
                .errorListener(listener)
                .build();
        Connection connection = Nats.connect(options);
        Link made = new Link(connection, connection.jetStream(jetStream), stream, errors, onFailure, duplicates);
        listener.link = made;
        if (configuration == null) {
            try {
                look(connection);
            } catch (IOException | JetStreamApiException | RuntimeException e) {
                made.close();
                throw e;
            }
        }
        return made;
    }

    private StreamConfiguration look(Connection connection)
            throws IOException, InterruptedException, JetStreamApiException {
        StreamConfiguration told = configurationBy(connection);
        setUp.accept(told);
        configuration = told;
        return told;
    }

    /** What the stream is set up with now. */
    StreamConfiguration ask(Link link) {
        try {
            return look(link.connection);
        } catch (IOException | JetStreamApiException | RuntimeException e) {
            throw away(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw errors.away("was not asked: the thread was interrupted.", e);
        }
    }

    private StreamConfiguration configurationBy(Connection connection)
            throws IOException, InterruptedException, JetStreamApiException {
        try {
            return connection
                    .jetStreamManagement(jetStream)
                    .getStreamInfo(stream)
                    .getConfiguration();
        } catch (IOException e) { // the client does not say whether nobody answers, or nobody answers in time
            if (!isThere(connection)) {
                throw new NoJetStreamException(e);
            }
            throw new IOException(
                    e.getMessage() + " If it is well, the user may lack the right to publish to "
                            + jetStream.getPrefix() + "STREAM.INFO." + stream + ", or to subscribe to _INBOX.>",
                    e);
        }
    }

    private boolean isThere(Connection connection) throws InterruptedException {
        try {
            connection
                    .requestWithTimeout(jetStream.getPrefix() + "STREAM.INFO." + stream, new byte[0], connectTimeout)
                    .get(connectTimeout.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (ExecutionException | CancellationException e) {
            return connection.getStatus() != Connection.Status.CONNECTED;
        } catch (TimeoutException | IllegalStateException e) {
            return true;
        }
    }

    /** A server is there, and nobody listens at it for requests to JetStream. */
    private static final class NoJetStreamException extends IOException {
        private static final long serialVersionUID = 1L;

        NoJetStreamException(IOException cause) {
            super("nobody answers requests to JetStream", cause);
        }
    }

    /**
     * Connects for the first time.
     *
     * @return why the server is away, or null if it is not
     * @throws ConfigurationException if it is there, and says that it will never do
     */
    @Nullable
    Exception check() {
        try {
            get();
            return null;
        } catch (RuntimeException e) {
            Exception failure = lastFailure;
            if (failure instanceof ConfigurationException wrong) {
                throw wrong;
            }
            if (failure instanceof AuthenticationException) {
                throw new ConfigurationException(e.getMessage() + " Check the user and the password.");
            }
            if ((failure instanceof JetStreamApiException refused && Errors.isMissing(refused))
                    || failure instanceof NoJetStreamException) {
                throw new ConfigurationException(e.getMessage() + " Check that the stream " + stream
                        + ", which this publisher does not create, is there, and that JetStream is enabled.");
            }
            return e;
        }
    }

    /** Takes no more messages. */
    void refuse() {
        closed = true;
    }

    /** The client tells its listeners on a thread of its own. */
    private final class Listener implements ConnectionListener, ErrorListener {
        private final @Nullable ConnectionListener connections;
        private final @Nullable ErrorListener failures;
        volatile @Nullable Link link;

        Listener(@Nullable ConnectionListener connections, @Nullable ErrorListener failures) {
            this.connections = connections;
            this.failures = failures;
        }

        @Override
        public void connectionEvent(Connection connection, Events type, Long time, String details) {
            Link mine = link;
            if (mine != null && (type == Events.DISCONNECTED || type == Events.CLOSED)) {
                mine.end(pending -> errors.away("is gone: the connection was lost.", null));
            }
            if (connections != null) {
                connections.connectionEvent(connection, type, time, details);
            }
        }

        @Override
        @SuppressWarnings("deprecation") // the client calls the other one
        public void connectionEvent(Connection connection, Events type) {}

        @Override
        public void errorOccurred(Connection connection, String error) {
            Link mine = link;
            Matcher forbidden = FORBIDDEN.matcher(error);
            if (mine != null && forbidden.find()) {
                mine.failSubject(forbidden.group(1), "refused a message: " + error);
            }
            if (failures != null) {
                failures.errorOccurred(connection, error);
            }
        }

        @Override
        public void exceptionOccurred(Connection connection, Exception exception) {
            if (failures != null) {
                failures.exceptionOccurred(connection, exception);
            }
        }
    }
}
