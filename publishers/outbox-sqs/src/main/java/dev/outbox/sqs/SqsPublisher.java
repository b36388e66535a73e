package dev.outbox.sqs;

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
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsAsyncClientBuilder;

/**
 * Publishes to a queue of Amazon SQS, and answers when SQS has. Safe for use by several threads. It must be closed,
 * after the relay.
 *
 * <pre>{@code
 * SqsPublisher<Order> publisher = SqsPublisher.<Order>builder(SqsAsyncClient.builder().region(Region.EU_CENTRAL_1))
 *         .queue("orders.fifo")
 *         .build();
 * Topic<Order> orders = Topic.builder("orders", Order.class)
 *         .key(Order::customer)
 *         .partitions(16)
 *         .retry(RetryPolicy.defaults().withMaxDelay(Duration.ofMinutes(2)))
 *         .asyncPublisher(publisher)
 *         .build();
 * }</pre>
 *
 * <p>A FIFO queue keeps the order of each message group, which is a partition of the outbox by default. It drops a
 * message that it has had within 5 minutes, which it recognises by the {@linkplain Delivery#id id}. So the delays of
 * the topic between two tries must be shorter than by default. A standard queue keeps no order and may hand a message
 * out more than once. It is used only if {@link Builder#standardQueue} says so.
 *
 * <p>{@link SqsMessages} reads the payload and the headers. The payload is the body, if it is a text that SQS takes, or
 * it is written in base64. The headers are attributes: those of the message, {@value OutboxHeaders#ID}, {@value
 * OutboxHeaders#TOPIC} and {@value OutboxHeaders#KEY}.
 *
 * <p>Messages of one partition are sent one after the other, with a request for each.
 *
 * <p>{@link PermanentFailureException} is thrown for messages that SQS does not take because of their size, their
 * message group or their characters. {@link BrokerUnavailableException} is thrown for everything that is about SQS or
 * its set-up: no answer in time, throttling, a queue that is missing, credentials or rights that are missing.
 *
 * @param <T> type of the messages
 */
public final class SqsPublisher<T> implements AsyncBrokerPublisher<T>, AutoCloseable {
    private static final Log LOG = Log.of(SqsPublisher.class).sparing();
    private static final String FIFO = ".fifo";
    private static final Duration LONGEST_CLOSE = Duration.ofSeconds(5);
    private static final Duration LONGEST_QUESTION = Duration.ofSeconds(5);

    /** How long a FIFO queue recognises a message that it has had. SQS has this for all queues. */
    private static final Duration WINDOW = Duration.ofMinutes(5);

    /** A request ends this part of the time limit before its end, because the SDK may be a little late. */
    private static final int RESERVE = 10;

    private final Messages<T> messages;
    private final Errors errors;
    private final Queue queue;
    private final SqsAsyncClient client;
    private final boolean ownClient;
    private final String name;
    private final boolean fifo;
    private final boolean ownGroups;
    private final Duration sendTimeout;
    private final boolean acceptDuplicates;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** By topic and partition. */
    private final Map<String, Lane> lanes = new ConcurrentHashMap<>();

    private SqsPublisher(Builder<T> builder, String name, SqsAsyncClient client) {
        this.name = name;
        this.client = client;
        this.ownClient = builder.theirs == null;
        this.fifo = !builder.standardQueue;
        this.ownGroups = builder.messageGroup != null;
        this.sendTimeout = builder.sendTimeout;
        this.acceptDuplicates = builder.acceptDuplicates;
        this.messages = new Messages<>(fifo, builder.messageGroup, builder.cloudEvents);
        this.errors = new Errors(name);
        Duration quarter = sendTimeout.dividedBy(4);
        this.queue = new Queue(client, name, quarter.compareTo(LONGEST_QUESTION) < 0 ? quarter : LONGEST_QUESTION);
    }

    /**
     * Starts a publisher with a client of its own, which it closes. Region, credentials and everything else are those
     * of the builder, and so is how often the client tries a request. The time limits of requests are those of the
     * publisher.
     *
     * @param client from {@code SqsAsyncClient.builder()}; asked once, by {@link Builder#build}
     */
    public static <T> Builder<T> builder(SqsAsyncClientBuilder client) {
        return new Builder<>(Objects.requireNonNull(client, "client"), null);
    }

    /**
     * Starts a publisher over a client of the application, which nobody closes here. It must be open until the
     * publisher is closed. The time limits of requests are those of the publisher.
     */
    public static <T> Builder<T> over(SqsAsyncClient client) {
        return new Builder<>(null, Objects.requireNonNull(client, "client"));
    }

    /**
     * A text as the name of a message group, for {@link Builder#messageGroup}: SQS takes up to 128 letters, digits and
     * punctuation characters of ASCII. Those but {@code %} stay as they are. Other bytes become {@code %} and two
     * hexadecimal digits. Of a text that is longer then, this is the SHA-256. Different texts stay different. The empty
     * text becomes {@code %}.
     */
    public static String token(String text) {
        if (text.isEmpty()) {
            return "%";
        }
        StringBuilder token = new StringBuilder();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        HexFormat hex = HexFormat.of().withUpperCase();
        for (byte b : bytes) {
            if (b > ' ' && b <= '~' && b != '%') {
                token.append((char) b);
            } else {
                token.append('%').append(hex.toHexDigits(b));
            }
        }
        return token.length() <= Messages.LONGEST_ID ? token.toString() : "%sha-256:" + hex.formatHex(sha256(bytes));
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JVM has it
        }
    }

    @Override
    public CompletionStage<Receipt> publish(Delivery<T> delivery) {
        long since = System.nanoTime();
        Outgoing message = messages.of(delivery);
        return lanes.computeIfAbsent(
                        message.order(),
                        order ->
                                new Lane(queue, errors, sendTimeout.minus(sendTimeout.dividedBy(RESERVE)), closed::get))
                .publish(message, since);
    }

    @Override
    public void check(TopicSettings topic) {
        if (topic.publishTimeout().compareTo(sendTimeout) <= 0) {
            throw new ConfigurationException("Topic " + topic.name() + ": publishTimeout is " + topic.publishTimeout()
                    + ", and its SqsPublisher waits " + sendTimeout
                    + " for the answer of SQS. Expected a longer publishTimeout, or a shorter sendTimeout: otherwise a"
                    + " message is tried again while the first try may still get through.");
        }
        if (!fifo) {
            return;
        }
        String group = Messages.order(topic.name(), topic.partitions() - 1);
        if (!ownGroups && group.length() > Messages.LONGEST_ID) {
            throw new ConfigurationException(
                    "Topic " + topic.name() + ": the name is too long for message groups such as "
                            + group + ", which may have " + Messages.LONGEST_ID
                            + " characters. Expected a shorter name, or SqsPublisher.Builder.messageGroup.");
        }
        Duration longest = topic.retry().maxDelay().multipliedBy(2);
        if (!acceptDuplicates && longest.compareTo(WINDOW) > 0) {
            throw new ConfigurationException("Topic " + topic.name() + ": its longest delay between two tries is "
                    + topic.retry().maxDelay() + ", and queue " + name + " recognises duplicates for " + WINDOW
                    + " only. Expected a RetryPolicy.withMaxDelay of " + WINDOW.dividedBy(2)
                    + " or less, or SqsPublisher.Builder.acceptDuplicates, if consumers recognise duplicates by"
                    + " themselves.");
        }
    }

    /** Asks the queue for the first time; null, or why SQS is away. */
    private @Nullable Exception look() {
        try {
            queue.facts().get(sendTimeout.toNanos(), TimeUnit.NANOSECONDS);
            return null;
        } catch (ExecutionException e) {
            Throwable thrown = Errors.unwrapped(Objects.requireNonNullElse(e.getCause(), e));
            Exception failure = errors.of(thrown);
            if (Errors.isMissing(thrown)) {
                throw new ConfigurationException(
                        failure.getMessage() + " Check that the queue, which this publisher does not create, is there,"
                                + " and the region and the account.");
            }
            if (Errors.isWrongAddress(thrown)) {
                throw new ConfigurationException(
                        failure.getMessage() + " Check the URL of the queue, the region and the account.");
            }
            if (Errors.isDenied(thrown)) {
                throw new ConfigurationException(
                        failure.getMessage() + " Check the credentials, and that they allow sqs:SendMessage,"
                                + " sqs:GetQueueAttributes and sqs:GetQueueUrl.");
            }
            if (!(failure instanceof BrokerUnavailableException)) {
                throw new ConfigurationException(
                        "SQS queue " + name + " cannot be asked: " + Errors.text(thrown),
                        Errors.withoutSecrets(thrown));
            }
            return failure;
        } catch (TimeoutException e) {
            return errors.away("has not answered within " + sendTimeout + ".", null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return errors.away("was not asked: the thread was interrupted.", null);
        }
    }

    /**
     * Waits for the answers to messages that were sent, for 5 seconds at most. What is not answered by then fails.
     * Closes the client, unless it is one of the application; its threads end some seconds later. Does nothing the
     * second time.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        awaitAnswers();
        lanes.values().forEach(lane -> lane.end("has not answered before its publisher was closed."));
        if (ownClient) {
            closeClient();
        }
    }

    /** On a thread of its own, because the client waits two seconds for requests that nobody makes. */
    private void closeClient() {
        Thread thread = new Thread(client::close, "outbox-sqs-close");
        thread.setDaemon(true);
        thread.start();
    }

    private void awaitAnswers() {
        CompletableFuture<?>[] pending = lanes.values().stream()
                .flatMap(lane -> lane.pending().stream())
                .map(message -> message.answer.exceptionally(failure -> Receipt.taken()))
                .toArray(CompletableFuture<?>[]::new);
        Duration half = sendTimeout.dividedBy(2);
        Duration most = half.compareTo(LONGEST_CLOSE) < 0 ? half : LONGEST_CLOSE;
        try {
            CompletableFuture.allOf(pending).get(most.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // what is left fails
        }
    }

    /**
     * Collects what a publisher is set up with. Used by one thread.
     *
     * @param <T> type of the messages
     */
    public static final class Builder<T> {
        private final @Nullable SqsAsyncClientBuilder ours;
        private final @Nullable SqsAsyncClient theirs;
        private @Nullable String queue;
        private boolean standardQueue;
        private @Nullable Function<? super Delivery<T>, String> messageGroup;
        private Duration sendTimeout = Duration.ofSeconds(30);
        private boolean acceptDuplicates;
        private @Nullable CloudEvents<? super T> cloudEvents;

        private Builder(@Nullable SqsAsyncClientBuilder ours, @Nullable SqsAsyncClient theirs) {
            this.ours = ours;
            this.theirs = theirs;
        }

        /**
         * The queue, by its name or its URL; required. It is not created. The name of a FIFO queue ends in {@code
         * .fifo}. By its name it is looked for in the region and the account of the client.
         *
         * @throws ConfigurationException if it is a URL with a user or a password
         */
        public Builder<T> queue(String nameOrUrl) {
            Objects.requireNonNull(nameOrUrl, "nameOrUrl");
            if (nameOrUrl.contains("://") && nameOrUrl.contains("@")) {
                throw new ConfigurationException(
                        "SqsPublisher: the URL of the queue has a user or a password. Expected a"
                                + " URL without them: credentials are set up with the client.");
            }
            this.queue = nameOrUrl;
            return this;
        }

        /**
         * Says that the queue is a standard queue, and that its consumers need no order: it may hand messages out in
         * any order, and more than once. Without it, such a queue is refused.
         */
        public Builder<T> standardQueue() {
            this.standardQueue = true;
            return this;
        }

        /**
         * The message group of each message, within which a FIFO queue keeps the order: a text as {@link #token} makes
         * it. By default, a partition of the outbox is a group, as in {@code orders/7}. Messages of one partition that
         * are in different groups have no order among each other. A standard queue gets a group only by this, and uses
         * it to be fair.
         */
        public Builder<T> messageGroup(Function<? super Delivery<T>, String> messageGroup) {
            this.messageGroup = Objects.requireNonNull(messageGroup, "messageGroup");
            return this;
        }

        /**
         * The longest time from the call until SQS has answered, with all tries that the client makes; by default 30
         * seconds. A tenth before its end the request is ended. Each try gets a third of the time that is left when the
         * request starts. Messages of one partition that are in flight together wait for each other within this time.
         * It must be shorter than the {@link Topic.Builder#publishTimeout} of each topic.
         *
         * @throws ConfigurationException if it is shorter than 100 milliseconds or longer than 2 minutes
         */
        public Builder<T> sendTimeout(Duration sendTimeout) {
            if (sendTimeout.compareTo(Duration.ofMillis(100)) < 0 || sendTimeout.compareTo(Duration.ofMinutes(2)) > 0) {
                throw new ConfigurationException("SqsPublisher: sendTimeout is " + sendTimeout
                        + "; expected at least 100 milliseconds and at most 2 minutes.");
            }
            this.sendTimeout = sendTimeout;
            return this;
        }

        /**
         * Allows topics whose delays between two tries are longer than half of the 5 minutes for which a FIFO queue
         * recognises duplicates. Without it, such a topic is refused: the queue would not recognise the second try.
         */
        public Builder<T> acceptDuplicates() {
            this.acceptDuplicates = true;
            return this;
        }

        /**
         * Makes CloudEvents of the messages, in binary mode: the attributes of an event are attributes of the message
         * that start with {@code ce-}, and {@code datacontenttype} is {@value OutboxHeaders#CONTENT_TYPE}.
         */
        public Builder<T> cloudEvents(CloudEvents<? super T> cloudEvents) {
            this.cloudEvents = Objects.requireNonNull(cloudEvents, "cloudEvents");
            return this;
        }

        /**
         * Asks SQS for the queue, and makes the publisher. If SQS is away, that is a warning in the log, and the
         * publisher asks again when it gets a message.
         *
         * @throws ConfigurationException if no queue was given; if it is of the other kind than {@link #standardQueue}
         *     says; if no client can be made, for example without a region; if SQS answers that there is no such queue,
         *     that its URL is wrong, or that the publisher may not ask; if there are no credentials; if the client
         *     cannot ask
         */
        public SqsPublisher<T> build() {
            String to = queue;
            if (to == null) {
                throw new ConfigurationException("An SqsPublisher needs a queue: give it one with Builder.queue.");
            }
            requireKind(to);
            SqsPublisher<T> publisher = new SqsPublisher<>(this, to, client());
            try {
                Exception away = publisher.look();
                if (away != null) {
                    LOG.warn("[OUTBOX-531] {} Messages wait in the outbox until it is back.", away.getMessage());
                }
                return publisher;
            } catch (RuntimeException e) {
                publisher.close();
                throw e;
            }
        }

        private void requireKind(String to) {
            if (to.endsWith(FIFO) && standardQueue) {
                throw new ConfigurationException("SqsPublisher: " + to
                        + " is a FIFO queue. Expected a standard queue, or a Builder without standardQueue.");
            }
            if (!to.endsWith(FIFO) && !standardQueue) {
                throw new ConfigurationException("SqsPublisher: " + to
                        + " is a standard queue, which keeps no order and"
                        + " may hand a message out more than once. Expected a FIFO queue, whose name ends in " + FIFO
                        + ", or Builder.standardQueue, if consumers need no order.");
            }
        }

        private SqsAsyncClient client() {
            if (theirs != null) {
                return theirs;
            }
            try {
                return Objects.requireNonNull(ours).build();
            } catch (RuntimeException e) {
                throw new ConfigurationException(
                        "SqsPublisher: no client can be made: " + Errors.text(e), Errors.withoutSecrets(e));
            }
        }
    }
}
