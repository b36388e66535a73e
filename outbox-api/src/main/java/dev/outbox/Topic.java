package dev.outbox;

import dev.outbox.internal.Audience;
import dev.outbox.internal.Durations;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A stream of messages of one type: how they are named, encoded, ordered, and handed to the broker. Immutable and safe
 * for use by several threads.
 *
 * <pre>{@code
 * Topic<Order> orders = Topic.builder("orders", Order.class)
 *         .key(Order::customer)
 *         .partitions(8)
 *         .publisher(delivery -> Receipt.of(broker.send(delivery.id(), delivery.message()).get(30, TimeUnit.SECONDS)))
 *         .build();
 * }</pre>
 *
 * <p>The publisher waits for the broker's answer, as by {@code get} here: its receipt counts as published.
 *
 * <p>A topic does not publish by itself. {@link Outbox#bind} makes a publisher that belongs to a transaction; {@link
 * #direct} one that goes past the outbox.
 *
 * @param <T> type of the messages
 */
public final class Topic<T> {
    private final String name;
    private final Codec<T> codec;
    private final Function<? super T, ? extends @Nullable String> key;
    private final Function<? super T, ? extends Map<String, String>> headers;
    private final int partitions;
    private final @Nullable BrokerPublisher<T> publisher;
    private final @Nullable AsyncBrokerPublisher<T> asyncPublisher;
    private final int inFlight;
    private final Duration publishTimeout;
    private final RetryPolicy retry;
    private final List<OutboxListener> listeners;
    private final Audience<OutboxListener> audience;

    private Topic(Builder<T> builder) {
        this.name = builder.name;
        this.codec = builder.codec;
        this.key = builder.key;
        this.headers = builder.headers;
        this.partitions = builder.partitions;
        this.publisher = builder.publisher;
        this.asyncPublisher = builder.asyncPublisher;
        this.inFlight = builder.inFlight;
        this.publishTimeout = builder.publishTimeout;
        this.retry = builder.retry;
        this.listeners = List.copyOf(builder.listeners);
        this.audience = Audience.of(OutboxListener.class, listeners);
    }

    /**
     * Starts a topic whose messages are encoded as JSON, by {@link Codecs#json(Class)}.
     *
     * @param name 1 to 200 of the characters {@code A-Z a-z 0-9 . _ - / :}
     * @throws MessageRejectedException if it is no such name
     */
    public static <T> Builder<T> builder(String name, Class<T> type) {
        return builder(name, Codecs.json(type));
    }

    /** Starts a topic with a codec of its own; otherwise as {@link #builder(String, Class)}. */
    public static <T> Builder<T> builder(String name, Codec<T> codec) {
        return new Builder<>(MessageRules.checkTopic(Objects.requireNonNull(name, "name")), codec);
    }

    /** The name, which identifies the topic in a store. */
    public String name() {
        return name;
    }

    /** How many partitions newly published messages are spread over. */
    public int partitions() {
        return partitions;
    }

    /** How messages are turned into bytes and back. */
    public Codec<T> codec() {
        return codec;
    }

    /** What messages are ordered by. */
    public Function<? super T, ? extends @Nullable String> key() {
        return key;
    }

    /** Which headers messages get. */
    public Function<? super T, ? extends Map<String, String>> headers() {
        return headers;
    }

    /** The synchronous publisher, or null if there is none. */
    public @Nullable BrokerPublisher<T> publisher() {
        return publisher;
    }

    /** The asynchronous publisher, or null if there is none. */
    public @Nullable AsyncBrokerPublisher<T> asyncPublisher() {
        return asyncPublisher;
    }

    /** How many messages of one partition an asynchronous publisher may have in flight. */
    public int inFlight() {
        return inFlight;
    }

    /** How long an asynchronous publisher may take for a message. */
    public Duration publishTimeout() {
        return publishTimeout;
    }

    /** What happens to messages that fail. */
    public RetryPolicy retry() {
        return retry;
    }

    /** Who is told what becomes of messages; unmodifiable, in the order of the builder. */
    public List<OutboxListener> listeners() {
        return listeners;
    }

    /** Starts a topic that is the same, except for what is set on the builder. */
    public Builder<T> toBuilder() {
        return new Builder<>(this);
    }

    /**
     * A publisher that hands messages to the broker now, past the outbox: whether a transaction commits makes no
     * difference to it. It waits for the broker's answer, and throws {@link PublishException} if the broker did not
     * take the message. Its ids are what the broker called the messages, or else ids that are drawn here. Safe for use
     * by several threads. Of a topic that is made for a relay it is rarely needed: see {@link Outbox#bind}.
     *
     * @throws ConfigurationException if the topic has no publisher
     */
    public Publisher<T> direct() {
        requirePublisher();
        return new DirectPublisher<>(this);
    }

    Audience<OutboxListener> audience() {
        return audience;
    }

    /** The message as a store takes it. */
    OutgoingMessage outgoing(T message) {
        if (message == null) {
            throw new MessageRejectedException("null was published to topic " + name + "; expected a message.");
        }
        String messageKey;
        Map<String, String> messageHeaders;
        byte[] payload;
        try {
            messageKey = key.apply(message);
            messageHeaders =
                    Objects.requireNonNull(headers.apply(message), "the headers are null; expected an empty map");
            payload = Objects.requireNonNull(codec.encode(message), "the codec returned null; expected bytes");
        } catch (MessageRejectedException e) {
            throw new MessageRejectedException("A message of topic " + name + " is refused. " + e.getMessage(), e);
        } catch (Exception e) {
            throw new MessageRejectedException(
                    "The key, the headers or the payload of a message of topic " + name + " could not be made: " + e,
                    e);
        }
        return new OutgoingMessage(name, partitionOf(messageKey), messageKey, messageHeaders, payload);
    }

    /**
     * Does nothing for a topic that can be relayed. A relay asks this of its topics; an application may ask it earlier.
     *
     * @throws ConfigurationException if the topic has no publisher
     */
    public void requirePublisher() {
        if (publisher == null && asyncPublisher == null) {
            throw new ConfigurationException(
                    "Topic " + name + " has no publisher, so its messages cannot be handed to a"
                            + " broker: give it one with Topic.Builder.publisher or asyncPublisher.");
        }
    }

    /** Without a key there is no order to keep, and any partition does. */
    private int partitionOf(@Nullable String messageKey) {
        return messageKey == null
                ? ThreadLocalRandom.current().nextInt(partitions)
                : Partitioner.partitionOf(messageKey, partitions);
    }

    @Override
    public String toString() {
        return "Topic[" + name + "]";
    }

    /**
     * Collects what a topic consists of. Used by one thread.
     *
     * @param <T> type of the messages
     */
    public static final class Builder<T> {
        private static final int MAX_PARTITIONS = 10_000;

        private final String name;
        private final Codec<T> codec;
        private Function<? super T, ? extends @Nullable String> key = message -> null;
        private Function<? super T, ? extends Map<String, String>> headers = message -> Map.of();
        private int partitions = 1;
        private @Nullable BrokerPublisher<T> publisher;
        private @Nullable AsyncBrokerPublisher<T> asyncPublisher;
        private int inFlight = 1;
        private Duration publishTimeout = Duration.ofMinutes(1);
        private RetryPolicy retry = RetryPolicy.defaults();
        private final List<OutboxListener> listeners = new ArrayList<>();

        private Builder(String name, Codec<T> codec) {
            this.name = name;
            this.codec = Objects.requireNonNull(codec, "codec");
        }

        private Builder(Topic<T> topic) {
            this(topic.name, topic.codec);
            key = topic.key;
            headers = topic.headers;
            partitions = topic.partitions;
            publisher = topic.publisher;
            asyncPublisher = topic.asyncPublisher;
            inFlight = topic.inFlight;
            publishTimeout = topic.publishTimeout;
            retry = topic.retry;
            listeners.addAll(topic.listeners);
        }

        /**
         * What messages are ordered by: those with equal keys share a partition. By default, or where it returns null,
         * a message has no key; it then goes to any partition.
         */
        public Builder<T> key(Function<? super T, ? extends @Nullable String> key) {
            this.key = Objects.requireNonNull(key, "key");
            return this;
        }

        /** Headers kept with each message and handed to the publisher; by default none. */
        public Builder<T> headers(Function<? super T, ? extends Map<String, String>> headers) {
            this.headers = Objects.requireNonNull(headers, "headers");
            return this;
        }

        /**
         * How many partitions messages are spread over, 1 to 10000; by default 1, which keeps all of the topic in
         * order. It bounds how many are published at a time, as {@code publishers} of a relay does. All processes that
         * publish to the topic must give the same number, or keys lose their order. Relays need the number, too: a
         * relay with another one says so in its log, to its listeners and in its state, once it gets a message with a
         * key that shows it. Changing the number later reorders keys only across messages that are still pending.
         *
         * @throws ConfigurationException if it is out of range
         */
        public Builder<T> partitions(int partitions) {
            this.partitions = between(1, partitions, MAX_PARTITIONS, "partitions");
            return this;
        }

        /**
         * The broker; needed by topics that a relay serves. It must not return before the broker has the message: see
         * {@link BrokerPublisher}. Replaces an {@link #asyncPublisher}.
         */
        public Builder<T> publisher(BrokerPublisher<T> publisher) {
            this.publisher = Objects.requireNonNull(publisher, "publisher");
            this.asyncPublisher = null;
            return this;
        }

        /** A broker that answers later. Replaces a {@link #publisher}. */
        public Builder<T> asyncPublisher(AsyncBrokerPublisher<T> publisher) {
            this.asyncPublisher = Objects.requireNonNull(publisher, "publisher");
            this.publisher = null;
            return this;
        }

        /**
         * How many messages of one partition an {@link #asyncPublisher} may have in flight, 1 to 10000. By default 1:
         * then nothing can overtake. With more they are started in order and the publisher must keep that order; when
         * one fails, those already started may have been published before it, but none is started after it.
         *
         * @throws ConfigurationException if it is out of range
         */
        public Builder<T> inFlight(int inFlight) {
            this.inFlight = between(1, inFlight, MAX_PARTITIONS, "inFlight");
            return this;
        }

        /**
         * How long an {@link #asyncPublisher} may take for a message before it counts as failed, although it may still
         * get through; by default 1 minute. It should be longer than the time limit of the broker's client: otherwise
         * the message is tried again while the client still tries, and the first try may arrive last. A {@link
         * #publisher} needs a time limit of its own. If it has not returned after this time, its message has not
         * failed, but the relay leaves the topic out until its broker is back. If the thread is a worker of the relay,
         * another worker takes its place.
         *
         * @throws ConfigurationException if it is not positive or more than 365 days
         */
        public Builder<T> publishTimeout(Duration publishTimeout) {
            this.publishTimeout = Durations.checked(
                    "Topic " + name + ": publishTimeout",
                    Duration.ofNanos(1),
                    publishTimeout,
                    ConfigurationException::new);
            return this;
        }

        /** What happens to messages that fail; by default {@link RetryPolicy#defaults}. */
        public Builder<T> retry(RetryPolicy retry) {
            this.retry = Objects.requireNonNull(retry, "retry");
            return this;
        }

        /**
         * Tells a listener of every message of the topic, when it is written and when it is relayed, so it need not be
         * given anywhere else. Several may be added, and are told in that order. A relay that serves the topic also
         * tells it of what concerns no single topic: checkouts, batches that were settled, failures of the store. A
         * listener that is also given to the relay, or to other topics of it, is told once.
         */
        public Builder<T> listener(OutboxListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * The topic.
         *
         * @throws ConfigurationException if its publisher refuses it, see {@link AsyncBrokerPublisher#check}
         */
        public Topic<T> build() {
            TopicSettings settings = new TopicSettings(name, partitions, inFlight, publishTimeout, retry);
            if (publisher != null) {
                publisher.check(settings);
            }
            if (asyncPublisher != null) {
                asyncPublisher.check(settings);
            }
            return new Topic<>(this);
        }

        private int between(int least, int value, int most, String what) {
            if (value < least || value > most) {
                throw new ConfigurationException(
                        "Topic " + name + ": " + what + " is " + value + "; expected " + least + " to " + most + ".");
            }
            return value;
        }
    }
}
