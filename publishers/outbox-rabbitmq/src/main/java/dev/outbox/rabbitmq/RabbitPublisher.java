package dev.outbox.rabbitmq;

import com.rabbitmq.client.ConnectionFactory;
import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.CloudEvents;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import dev.outbox.TopicSettings;
import dev.outbox.internal.Log;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Publishes to an exchange of RabbitMQ, and answers when RabbitMQ has confirmed. Safe for use by several threads. It
 * must be closed, after the relay.
 *
 * <pre>{@code
 * RabbitPublisher<Order> publisher = RabbitPublisher.<Order>builder("amqp://app:secret@rabbit.example/shop")
 *         .exchange("orders")
 *         .build();
 * Topic<Order> orders = Topic.builder("orders", Order.class)
 *         .key(Order::customer)
 *         .partitions(16)
 *         .asyncPublisher(publisher)
 *         .build();
 * }</pre>
 *
 * <p>The body is the payload as it is. The property {@code message_id} and the header {@value OutboxHeaders#ID} are the
 * {@linkplain Delivery#id id}, by which consumers recognise duplicates. The property {@code type} is the name of the
 * topic, {@code timestamp} the time of writing, {@code content_type} the header {@value OutboxHeaders#CONTENT_TYPE}.
 * The headers are those of the message, with {@value OutboxHeaders#TOPIC} and {@value OutboxHeaders#KEY}. Messages are
 * persistent and mandatory.
 *
 * <p>{@link PermanentFailureException} is thrown for messages that RabbitMQ does not take because of their size, their
 * headers or their routing key. {@link BrokerUnavailableException} is thrown for everything that is about the broker or
 * its set-up: no connection, no answer in time, an exchange or a queue that is missing, rights that are missing, a
 * queue that is full, or an alarm.
 *
 * @param <T> type of the messages
 */
public final class RabbitPublisher<T> implements AsyncBrokerPublisher<T>, AutoCloseable {
    private static final Log LOG = Log.of(RabbitPublisher.class).sparing();
    private static final String THREADS = "outbox-rabbitmq";
    private static final Duration LONGEST_CLOSE = Duration.ofSeconds(5);

    /** The time is looked at this often in the time limit, and what would be late at the next look is late now. */
    private static final int LOOKS = 20;

    private final Messages<T> messages;
    private final Errors errors;
    private final Connector connector;
    private final Lane[] lanes;
    private final Duration confirmTimeout;
    private final ScheduledExecutorService timekeeper;
    private final Future<?> looks;
    private final AtomicBoolean closed = new AtomicBoolean();

    private RabbitPublisher(Builder<T> builder, String exchange) {
        this.messages = new Messages<>(builder.routingKey, builder.cloudEvents, builder.cloudEventsPrefix);
        this.confirmTimeout = builder.confirmTimeout;
        ConnectionFactory factory = builder.factory;
        this.errors = new Errors(
                factory.getHost() + ":" + factory.getPort() + ", virtual host '" + factory.getVirtualHost() + "',",
                builder.maxMessageSize);
        this.connector = new Connector(factory, exchange, errors, confirmTimeout, THREADS);
        this.lanes = IntStream.range(0, builder.channels)
                .mapToObj(i -> new Lane(errors, exchange, builder.unroutable))
                .toArray(Lane[]::new);
        this.timekeeper = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, THREADS + "-time");
            thread.setDaemon(true);
            return thread;
        });
        long nanos = confirmTimeout.toNanos();
        looks = timekeeper.scheduleWithFixedDelay(
                () -> endLate(nanos - 2 * (nanos / LOOKS)), nanos / LOOKS, nanos / LOOKS, TimeUnit.NANOSECONDS);
    }

    /**
     * Starts a publisher that connects as a factory says. The factory itself is not changed. A copy of it is, in this:
     * automatic recovery is off, because this publisher connects again by itself; each step of connecting has at most
     * 5 seconds and a fifth of {@link Builder#confirmTimeout}; heartbeats come at least every 10 seconds. It must use
     * blocking I/O, neither NIO nor Netty, because this publisher resets the socket of a connection that is late.
     */
    public static <T> Builder<T> builder(ConnectionFactory factory) {
        return new Builder<>(Objects.requireNonNull(factory, "factory").clone());
    }

    /**
     * Starts a publisher that connects to a URI, as in {@code amqp://user:password@host:5672/vhost}.
     *
     * @throws ConfigurationException if it is no such URI
     */
    public static <T> Builder<T> builder(String uri) {
        Objects.requireNonNull(uri, "uri");
        ConnectionFactory factory = new ConnectionFactory();
        try {
            factory.setUri(uri);
        } catch (Exception e) { // whose texts have the password
            throw new ConfigurationException(
                    "The URI of RabbitMQ cannot be read; expected amqp://user:password@host:5672/vhost,"
                            + " with other characters of user, password and vhost percent-encoded: the virtual"
                            + " host / is %2F.");
        }
        return new Builder<>(factory);
    }

    @Override
    public CompletionStage<Receipt> publish(Delivery<T> delivery) {
        long since = System.nanoTime();
        Link link = connector.get();
        Outgoing message = messages.of(delivery, link.frameMax());
        errors.requireSize(message.body().length);
        return lanes[delivery.partition() % lanes.length].publish(link, message, since);
    }

    @Override
    public void check(TopicSettings topic) {
        if (topic.publishTimeout().compareTo(confirmTimeout) <= 0) {
            throw new ConfigurationException("Topic " + topic.name() + ": publishTimeout is " + topic.publishTimeout()
                    + ", and its RabbitPublisher waits " + confirmTimeout
                    + " for a confirm. Expected a longer publishTimeout, or a shorter confirmTimeout: otherwise a"
                    + " message is tried again while the first try may still get through.");
        }
    }

    /** Whatever is not confirmed by now may be confirmed at any time, so its connection must go before it fails. */
    private void endLate(long nanos) {
        try {
            long now = System.nanoTime();
            Link link = connector.current();
            if (link == null || Arrays.stream(lanes).noneMatch(lane -> lane.isLate(now, nanos))) {
                return;
            }
            String blocked = link.blocked();
            end(
                    link,
                    errors.unavailable(
                            blocked == null
                                    ? "has not confirmed a message within " + confirmTimeout + "."
                                    : "takes no messages for now (connection.blocked): " + blocked + ".",
                            null));
        } catch (RuntimeException e) {
            LOG.error(
                    "[OUTBOX-521] The time limit of publishing to RabbitMQ could not be enforced; it is tried again.",
                    e);
        }
    }

    private void end(Link link, Failure reason) {
        for (Lane lane : lanes) {
            lane.condemn(reason);
        }
        link.cut();
        for (Lane lane : lanes) {
            lane.end(reason);
        }
        link.close();
    }

    /**
     * Waits for the confirms of messages that were sent, for 5 seconds at most, and closes the connection. What is not
     * confirmed by then fails. Does nothing the second time.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        connector.refuse();
        boolean idle = areConfirmed();
        Failure reason = errors.unavailable("has not confirmed the message before its publisher was closed.", null);
        for (Lane lane : lanes) {
            lane.condemn(reason);
        }
        connector.close(idle);
        for (Lane lane : lanes) {
            lane.end(reason);
        }
        looks.cancel(true);
        timekeeper.shutdownNow();
    }

    private boolean areConfirmed() {
        CompletableFuture<?>[] pending = Arrays.stream(lanes)
                .flatMap(lane -> lane.pending().stream())
                .map(message -> message.answer.exceptionally(failure -> Receipt.taken()))
                .toArray(CompletableFuture<?>[]::new);
        Duration most = confirmTimeout.compareTo(LONGEST_CLOSE) < 0 ? confirmTimeout : LONGEST_CLOSE;
        try {
            CompletableFuture.allOf(pending).get(most.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // what is left is seen below
        }
        return Arrays.stream(lanes).allMatch(lane -> lane.pending().isEmpty());
    }

    /**
     * Collects what a publisher is set up with. Used by one thread.
     *
     * @param <T> type of the messages
     */
    public static final class Builder<T> {
        private static final int MOST_CHANNELS = 2_000;

        private final ConnectionFactory factory;
        private @Nullable String exchange;
        private Function<? super Delivery<T>, String> routingKey = Delivery::topic;
        private Unroutable unroutable = Unroutable.WAIT;
        private int channels = 16;
        private Duration confirmTimeout = Duration.ofSeconds(30);
        private int maxMessageSize = 16 * 1024 * 1024;
        private @Nullable CloudEvents<? super T> cloudEvents;
        private String cloudEventsPrefix = "cloudEvents:";

        private Builder(ConnectionFactory factory) {
            this.factory = factory;
        }

        /**
         * The exchange, which must be there; required. It is not created. The empty name is the default exchange, which
         * routes to the queue that the routing key names.
         */
        public Builder<T> exchange(String exchange) {
            this.exchange = Objects.requireNonNull(exchange, "exchange");
            return this;
        }

        /**
         * The routing key of each message; by default the name of its topic. Messages of one partition that go to
         * different queues have no order among each other.
         */
        public Builder<T> routingKey(Function<? super Delivery<T>, String> routingKey) {
            this.routingKey = Objects.requireNonNull(routingKey, "routingKey");
            return this;
        }

        /** What becomes of messages that no queue takes; by default {@link Unroutable#WAIT}. */
        public Builder<T> unroutable(Unroutable unroutable) {
            this.unroutable = Objects.requireNonNull(unroutable, "unroutable");
            return this;
        }

        /**
         * How many channels the partitions share, 1 to 2000; by default 16. Messages of one partition always go through
         * the same channel, because RabbitMQ keeps order within a channel.
         *
         * @throws ConfigurationException if it is out of range
         */
        public Builder<T> channels(int channels) {
            if (channels < 1 || channels > MOST_CHANNELS) {
                throw new ConfigurationException(
                        "RabbitPublisher: channels is " + channels + "; expected 1 to " + MOST_CHANNELS + ".");
            }
            this.channels = channels;
            return this;
        }

        /**
         * The longest time from the call until RabbitMQ has confirmed the message; by default 30 seconds. A tenth
         * before its end the connection is cut, and all that is in flight on it fails. It must be shorter than the
         * {@link Topic.Builder#publishTimeout} of each topic.
         *
         * @throws ConfigurationException if it is shorter than 100 milliseconds or longer than 365 days
         */
        public Builder<T> confirmTimeout(Duration confirmTimeout) {
            if (confirmTimeout.compareTo(Duration.ofMillis(100)) < 0
                    || confirmTimeout.compareTo(Duration.ofDays(365)) > 0) {
                throw new ConfigurationException("RabbitPublisher: confirmTimeout is " + confirmTimeout
                        + "; expected at least 100 milliseconds and at most 365 days.");
            }
            this.confirmTimeout = confirmTimeout;
            return this;
        }

        /**
         * The {@code max_message_size} of the broker, in bytes; by default 16 MiB, which RabbitMQ 4 has, and which no
         * message of an outbox exceeds. If the broker has a lower limit and this has not, the first message above it
         * closes a channel, and all that is in flight there fails and is tried again. The publisher then knows the
         * limit for as long as it is connected.
         *
         * @throws ConfigurationException if it is not positive
         */
        public Builder<T> maxMessageSize(int bytes) {
            if (bytes < 1) {
                throw new ConfigurationException(
                        "RabbitPublisher: maxMessageSize is " + bytes + "; expected 1 or more.");
            }
            this.maxMessageSize = bytes;
            return this;
        }

        /**
         * Makes CloudEvents of the messages, in binary mode: the attributes are headers that start with {@code
         * cloudEvents:}, and {@code datacontenttype} is the property {@code content_type}.
         */
        public Builder<T> cloudEvents(CloudEvents<? super T> cloudEvents) {
            return cloudEvents(cloudEvents, "cloudEvents:");
        }

        /**
         * The same with another prefix: {@code cloudEvents_} is for consumers that speak JMS, which allows no colon
         * in a name.
         */
        public Builder<T> cloudEvents(CloudEvents<? super T> cloudEvents, String prefix) {
            this.cloudEvents = Objects.requireNonNull(cloudEvents, "cloudEvents");
            this.cloudEventsPrefix = Objects.requireNonNull(prefix, "prefix");
            return this;
        }

        /**
         * Connects, and makes the publisher. If the broker is away, that is a warning in the log, and the publisher
         * connects when it gets a message.
         *
         * @throws ConfigurationException if no exchange was given; if RabbitMQ answers that there is no such exchange
         *     or virtual host, or that the user may not enter the virtual host
         */
        public RabbitPublisher<T> build() {
            if (exchange == null) {
                throw new ConfigurationException(
                        "A RabbitPublisher needs an exchange: give it one with Builder.exchange.");
            }
            RabbitPublisher<T> publisher = new RabbitPublisher<>(this, exchange);
            try {
                Exception away = publisher.connector.check();
                if (away != null) {
                    LOG.warn("[OUTBOX-522] {} Messages wait in the outbox until it is back.", away.getMessage());
                }
                return publisher;
            } catch (RuntimeException e) {
                publisher.close();
                throw e;
            }
        }
    }
}
