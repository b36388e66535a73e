package dev.outbox.nats;

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
import io.nats.client.JetStreamOptions;
import io.nats.client.Options;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Publishes to a stream of NATS JetStream, and answers when the stream has acknowledged. Without JetStream nobody would
 * acknowledge, so there is no publisher to core NATS. Safe for use by several threads. It must be closed, after the
 * relay.
 *
 * <pre>{@code
 * NatsPublisher<Order> publisher = NatsPublisher.<Order>builder("nats://app:secret@nats.example:4222")
 *         .stream("ORDERS")
 *         .subject("orders.placed")
 *         .build();
 * Topic<Order> orders = Topic.builder("orders", Order.class)
 *         .key(Order::customer)
 *         .partitions(16)
 *         .asyncPublisher(publisher)
 *         .build();
 * }</pre>
 *
 * <p>With the retries of a topic by default, the stream needs a duplicate window of 10 minutes; NATS has 2 by default.
 *
 * <p>The data is the payload as it is. The headers {@code Nats-Msg-Id} and {@value OutboxHeaders#ID} are the
 * {@linkplain Delivery#id id}: the stream drops a message whose id it has had within its duplicate window, and
 * consumers recognise later duplicates. The other headers are those of the message, with {@value OutboxHeaders#TOPIC}
 * and {@value OutboxHeaders#KEY}; {@link NatsHeaders} reads them.
 *
 * <p>{@link PermanentFailureException} is thrown for messages that NATS does not take because of their size, their
 * headers or their subject. {@link BrokerUnavailableException} is thrown for everything that is about the server or its
 * set-up: no connection, no acknowledgement in time, a stream that is missing or full, or rights that are missing.
 *
 * @param <T> type of the messages
 */
public final class NatsPublisher<T> implements AsyncBrokerPublisher<T>, AutoCloseable {
    private static final Log LOG = Log.of(NatsPublisher.class).sparing();
    private static final String THREADS = "outbox-nats";
    private static final Duration LONGEST_CLOSE = Duration.ofSeconds(5);
    private static final Duration SHORTEST_PAUSE = Duration.ofSeconds(1);

    /**
     * The time is looked at this often in the time limit. What would be late four looks later is late now, because a
     * connection gets two of them to close.
     */
    private static final int LOOKS = 20;

    private final Messages<T> messages;
    private final Errors errors;
    private final Connector connector;
    private final Duration ackTimeout;
    private final boolean acceptDuplicates;
    private final String stream;
    private final AtomicLong duplicates = new AtomicLong();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final ScheduledExecutorService timekeeper;
    private final Future<?> looks;

    /**
     * The first message of each partition that has failed. The next of the partition must be that one. Any other is
     * refused, once: the relay may have started it before it saw the failure, and it would overtake.
     */
    private final Map<String, String> firstFailures = new ConcurrentHashMap<>();

    /** Topics that were built before a server had told what the stream is set up with, by their names. */
    private final Map<String, TopicSettings> unchecked = new ConcurrentHashMap<>();

    private NatsPublisher(Builder<T> builder, String stream) {
        this.stream = stream;
        this.messages = new Messages<>(builder.subject, builder.cloudEvents);
        this.ackTimeout = builder.ackTimeout;
        this.acceptDuplicates = builder.acceptDuplicates;
        this.errors = new Errors(builder.options.getServers().stream()
                .map(server -> server.getHost() + ":" + server.getPort())
                .collect(Collectors.joining(", ")));
        this.connector = new Connector(
                builder.options,
                ackTimeout,
                builder.jetStream,
                stream,
                errors,
                failed -> firstFailures.putIfAbsent(failed.message.order(), failed.message.id()),
                duplicates,
                configuration -> builder.check(stream, configuration));
        this.timekeeper = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, THREADS + "-time");
            thread.setDaemon(true);
            return thread;
        });
        long nanos = ackTimeout.toNanos();
        looks = timekeeper.scheduleWithFixedDelay(
                () -> endLate(nanos - 4 * (nanos / LOOKS)), nanos / LOOKS, nanos / LOOKS, TimeUnit.NANOSECONDS);
    }

    /**
     * Starts a publisher that connects as options say. The options themselves are not changed. A copy of them is, in
     * this: the client does not reconnect, because this publisher connects again by itself and the client would send
     * messages that have failed meanwhile; connecting takes at most 5 seconds and a quarter of {@link
     * Builder#ackTimeout}, for each server; and messages that wait to be sent are sent together, not by a write each.
     *
     * @throws ConfigurationException if the options make the client discard messages without telling anybody
     */
    public static <T> Builder<T> builder(Options options) {
        Objects.requireNonNull(options, "options");
        if (options.isDiscardMessagesWhenOutgoingQueueFull()) {
            throw new ConfigurationException("NatsPublisher: the Options have discardMessagesWhenOutgoingQueueFull."
                    + " Expected options without it: a message that is discarded could be overtaken.");
        }
        return new Builder<>(options);
    }

    /**
     * Starts a publisher that connects to a URL, or to one of several with commas between them, as in {@code
     * nats://user:password@host:4222}.
     *
     * @throws ConfigurationException if it is no such URL
     */
    public static <T> Builder<T> builder(String url) {
        Objects.requireNonNull(url, "url");
        try {
            return new Builder<>(new Options.Builder()
                    .servers(url.split(",", -1))
                    .connectionName(THREADS)
                    .build());
        } catch (IllegalArgumentException e) { // whose text has the password
            throw new ConfigurationException("The URL of NATS cannot be read; expected nats://user:password@host:4222,"
                    + " with other characters of user and password percent-encoded.");
        }
    }

    /**
     * A text as one part of a subject, for subjects that are made from keys: {@code "orders." + token(key)}. Letters,
     * digits, {@code -} and {@code _} stay as they are. Other bytes become {@code %} and two hexadecimal digits, so
     * that different texts stay different. The empty text becomes {@code %}.
     */
    public static String token(String text) {
        return text.isEmpty() ? "%" : NatsHeaders.percent(text, false);
    }

    @Override
    public CompletionStage<Receipt> publish(Delivery<T> delivery) {
        long since = System.nanoTime();
        Outgoing message = messages.of(delivery);
        Link link = connector.get();
        TopicSettings topic = unchecked.isEmpty() ? null : unchecked.get(delivery.topic());
        if (topic != null) {
            requireFit(topic, link);
        }
        String first = firstFailures.remove(message.order());
        if (first != null && !first.equals(message.id())) {
            throw errors.away("has not taken an earlier message of the partition, so this one waits.", null);
        }
        Pending pending = new Pending(message, since);
        link.publish(pending);
        return pending.answer;
    }

    @Override
    public void check(TopicSettings topic) {
        if (topic.publishTimeout().compareTo(ackTimeout) <= 0) {
            throw new ConfigurationException("Topic " + topic.name() + ": publishTimeout is " + topic.publishTimeout()
                    + ", and its NatsPublisher waits " + ackTimeout
                    + " for an acknowledgement. Expected a longer publishTimeout, or a shorter ackTimeout: otherwise a"
                    + " message is tried again while the first try may still get through.");
        }
        StreamConfiguration configuration = connector.configuration();
        if (configuration == null) {
            unchecked.put(topic.name(), topic);
            return;
        }
        unchecked.remove(topic.name());
        String fault = fault(topic, configuration);
        if (fault != null) {
            throw new ConfigurationException(fault);
        }
    }

    /** Asks each time until the stream is fit, because an operator may change it. */
    private void requireFit(TopicSettings topic, Link link) {
        String fault = fault(topic, connector.ask(link));
        if (fault != null) {
            throw new BrokerUnavailableException(fault);
        }
        unchecked.remove(topic.name(), topic);
    }

    private @Nullable String fault(TopicSettings topic, StreamConfiguration configuration) {
        Duration longest = topic.retry().maxDelay().multipliedBy(2);
        if (acceptDuplicates
                || longest.compareTo(SHORTEST_PAUSE) <= 0
                || configuration.getDuplicateWindow().compareTo(longest) >= 0) {
            return null;
        }
        return "Topic " + topic.name() + ": its longest delay between two tries is "
                + topic.retry().maxDelay() + ", and stream " + stream + " recognises duplicates for "
                + configuration.getDuplicateWindow() + " only. Expected a duplicate window of " + longest
                + " or more, a shorter RetryPolicy.withMaxDelay, or NatsPublisher.Builder.acceptDuplicates, if"
                + " consumers recognise duplicates by themselves.";
    }

    /**
     * How many messages the stream had already when they came: tries whose acknowledgement was lost. They count as
     * published.
     */
    public long duplicates() {
        return duplicates.get();
    }

    /** Whatever is not acknowledged by now may be at any time, so its connection must go. */
    private void endLate(long nanos) {
        try {
            Link link = connector.current();
            if (link != null && link.isLate(System.nanoTime(), nanos)) {
                end(link, "has not acknowledged a message within " + ackTimeout + ".", ackTimeout.dividedBy(LOOKS / 2));
            }
        } catch (RuntimeException e) {
            LOG.error("[OUTBOX-511] The time limit of publishing to NATS could not be enforced; it is tried again.", e);
        }
    }

    /**
     * Waits for the acknowledgements of messages that were sent, for 5 seconds at most, and closes the connection. What
     * is not acknowledged by then fails. Does nothing the second time.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        connector.refuse();
        Link link = connector.current();
        if (link != null) {
            awaitAnswers(link);
            end(link, "has not acknowledged the message before its publisher was closed.", mostOfClose());
        }
        looks.cancel(true);
        timekeeper.shutdownNow();
    }

    private void awaitAnswers(Link link) {
        CompletableFuture<?>[] pending = link.pending().stream()
                .map(message -> message.answer.exceptionally(failure -> Receipt.taken()))
                .toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(pending).get(mostOfClose().toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // what is left fails
        }
    }

    /** Nothing is reported as failed while the client may still write it. */
    private void end(Link link, String reason, Duration most) {
        link.condemn(pending -> errors.away(reason, null));
        link.close();
        link.awaitClosed(most);
        link.end(pending -> errors.away(reason, null));
    }

    private Duration mostOfClose() {
        Duration half = ackTimeout.dividedBy(2);
        return half.compareTo(LONGEST_CLOSE) < 0 ? half : LONGEST_CLOSE;
    }

    /**
     * Collects what a publisher is set up with. Used by one thread.
     *
     * @param <T> type of the messages
     */
    public static final class Builder<T> {
        private final Options options;
        private @Nullable String stream;
        private @Nullable String fixedSubject;
        private Function<? super Delivery<T>, String> subject = Delivery::topic;
        private JetStreamOptions jetStream = JetStreamOptions.defaultOptions();
        private Duration ackTimeout = Duration.ofSeconds(30);
        private boolean acceptDuplicates;
        private @Nullable CloudEvents<? super T> cloudEvents;

        private Builder(Options options) {
            this.options = options;
        }

        /**
         * The stream that must take the messages; required. It is not created. A message that another stream would take
         * fails.
         */
        public Builder<T> stream(String stream) {
            this.stream = Objects.requireNonNull(stream, "stream");
            return this;
        }

        /**
         * The subject of all messages; by default the name of their topic.
         *
         * @throws ConfigurationException if it is no subject to publish to
         */
        public Builder<T> subject(String subject) {
            String fault = Subjects.fault(subject);
            if (fault != null) {
                throw new ConfigurationException("NatsPublisher: '" + subject + "' is no subject to publish to: "
                        + fault + ". Expected one such as orders.placed.");
            }
            this.fixedSubject = subject;
            this.subject = delivery -> subject;
            return this;
        }

        /** The subject of each message. Parts of it that come from data go through {@link NatsPublisher#token}. */
        public Builder<T> subject(Function<? super Delivery<T>, String> subject) {
            this.fixedSubject = null;
            this.subject = Objects.requireNonNull(subject, "subject");
            return this;
        }

        /**
         * The domain or the prefix of JetStream; by default none.
         *
         * @throws ConfigurationException if the options switch acknowledgements off
         */
        public Builder<T> jetStream(JetStreamOptions options) {
            if (options.isPublishNoAck()) {
                throw new ConfigurationException(
                        "NatsPublisher: the JetStreamOptions have publishNoAck. Expected options"
                                + " without it: a message counts as published when the stream has acknowledged it.");
            }
            this.jetStream = options;
            return this;
        }

        /**
         * The longest time from the call until the stream has acknowledged the message; by default 30 seconds. A fifth
         * before its end the connection is closed, and all that is in flight on it fails. It must be shorter than the
         * {@link Topic.Builder#publishTimeout} of each topic.
         *
         * @throws ConfigurationException if it is shorter than 100 milliseconds or longer than 365 days
         */
        public Builder<T> ackTimeout(Duration ackTimeout) {
            if (ackTimeout.compareTo(Duration.ofMillis(100)) < 0 || ackTimeout.compareTo(Duration.ofDays(365)) > 0) {
                throw new ConfigurationException("NatsPublisher: ackTimeout is " + ackTimeout
                        + "; expected at least 100 milliseconds and at most 365 days.");
            }
            this.ackTimeout = ackTimeout;
            return this;
        }

        /**
         * Allows topics whose delays between two tries are longer than half the duplicate window of the stream. Without
         * it, such a topic is refused: the stream would not recognise the second try.
         */
        public Builder<T> acceptDuplicates() {
            this.acceptDuplicates = true;
            return this;
        }

        /**
         * Makes CloudEvents of the messages, in binary mode: the attributes are headers that start with {@code ce-}.
         */
        public Builder<T> cloudEvents(CloudEvents<? super T> cloudEvents) {
            this.cloudEvents = Objects.requireNonNull(cloudEvents, "cloudEvents");
            return this;
        }

        /**
         * Connects, and makes the publisher. If the server is away, that is a warning in the log, and the publisher
         * connects when it gets a message. It looks at the stream then, and if that is not fit, each message fails with
         * the reason, and no attempt is counted.
         *
         * @throws ConfigurationException if no stream was given; if NATS answers that there is no such stream or that
         *     the user may not connect; if the stream does not take the subject that was given as a text, or does not
         *     acknowledge
         */
        public NatsPublisher<T> build() {
            if (stream == null) {
                throw new ConfigurationException("A NatsPublisher needs a stream: give it one with Builder.stream.");
            }
            NatsPublisher<T> publisher = new NatsPublisher<>(this, stream);
            try {
                Exception away = publisher.connector.check();
                if (away != null) {
                    LOG.warn("[OUTBOX-512] {} Messages wait in the outbox until it is back.", away.getMessage());
                }
                return publisher;
            } catch (RuntimeException e) {
                publisher.close();
                throw e;
            }
        }

        private void check(String name, StreamConfiguration configuration) {
            if (configuration.getNoAck()) {
                throw new ConfigurationException("Stream " + name
                        + " has no_ack, so nobody would know whether it has a message. Switch it off.");
            }
            String to = fixedSubject;
            if (to != null
                    && configuration.getSubjects().stream().noneMatch(pattern -> Subjects.matches(pattern, to))) {
                throw new ConfigurationException("Stream " + name + " takes the subjects " + configuration.getSubjects()
                        + ", and not '" + to + "'.");
            }
            if (configuration.getStorageType() == StorageType.Memory) {
                LOG.warn("[OUTBOX-513] Stream {} is in memory: its messages are lost when its servers stop.", name);
            }
        }
    }
}
