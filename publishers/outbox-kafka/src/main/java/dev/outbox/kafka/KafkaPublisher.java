package dev.outbox.kafka;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.CloudEvents;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.TopicSettings;
import dev.outbox.internal.Log;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Hands messages to Kafka. A receipt means that all replicas in sync have the message.
 *
 * <pre>{@code
 * KafkaPublisher<Order> kafka = KafkaPublisher.<Order>builder(Map.of("bootstrap.servers", "localhost:9092"))
 *         .topic("orders")
 *         .build();
 * Topic<Order> orders = Topic.builder("orders", Order.class)
 *         .key(Order::customer)
 *         .partitions(8)
 *         .asyncPublisher(kafka)
 *         .build();
 * }</pre>
 *
 * <p>The value of a record is the payload, byte by byte. Its key is the key of the message in UTF-8, and Kafka's
 * partitioner chooses the partition by it. The headers are those of the message, {@link OutboxHeaders#ID} and {@link
 * OutboxHeaders#TOPIC}.
 *
 * <p>If a message fails, the producer drops everything that it has not sent yet. Those messages fail, too, and a new
 * producer is made. So nothing is sent after its failure was reported. No message of a partition overtakes an earlier
 * one, whatever {@link dev.outbox.Topic.Builder#inFlight} says. A message that Kafka refuses for good, such as one
 * that is too large, does not end the producer.
 *
 * <p>Safe for use by several threads and topics. Close it after the relay.
 *
 * @param <T> type of the messages
 */
public final class KafkaPublisher<T> implements AsyncBrokerPublisher<T>, AutoCloseable {
    private static final Log LOG = Log.of(KafkaPublisher.class).sparing();

    /** What Kafka allows as the name of a topic. */
    private static final Pattern TOPIC_NAME = Pattern.compile("(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}");

    private final ProducerSettings settings;
    private final Failures failures;
    private final @Nullable Function<Map<String, Object>, Producer<byte[], byte[]>> factory;
    private final Function<? super Delivery<T>, String> destination;
    private final boolean usesTopicNames;
    private final @Nullable CloudEvents<? super T> cloudEvents;
    private final Predicate<? super Delivery<T>> tombstone;
    private final Duration closeTimeout;
    private final MissingTopics missing;
    private final OrderGate gate = new OrderGate();
    private final AtomicLong starts = new AtomicLong();

    /** Topics that have one message of a partition in flight, which no later one can overtake. */
    private final Set<String> oneByOne = ConcurrentHashMap.newKeySet();

    // Written with the lock of this.
    private volatile @Nullable LiveProducer live;
    private volatile boolean closed;

    private KafkaPublisher(Builder<T> builder, Function<? super Delivery<T>, String> destination) {
        this.settings = builder.settings;
        this.failures = new Failures(builder.secrets);
        this.factory = builder.producer == null ? builder.factory : null;
        this.destination = destination;
        this.usesTopicNames = builder.topic == null && builder.topicOf == null;
        this.cloudEvents = builder.cloudEvents;
        this.tombstone = builder.tombstone;
        this.closeTimeout = builder.closeTimeout;
        this.missing = new MissingTopics(settings.maxBlock());
        if (builder.producer != null) {
            live = new LiveProducer(builder.producer);
        }
    }

    /**
     * Starts a publisher with a producer of its own.
     *
     * @param settings those of a producer, by their names in Kafka, such as {@code bootstrap.servers}. Settings that
     *     would lose or reorder messages are refused. Serializers are not used. By default, {@code max.block.ms} is 5
     *     seconds, {@code delivery.timeout.ms} 45 seconds, {@code request.timeout.ms} 15 seconds at most, {@code
     *     linger.ms} is 0, and {@code max.in.flight.requests.per.connection} is 1
     * @throws ConfigurationException if a setting is refused
     */
    public static <T> Builder<T> builder(Map<String, ?> settings) {
        Objects.requireNonNull(settings, "settings");
        return new Builder<>(ProducerSettings.ofOurs(settings), Secrets.in(settings), null);
    }

    /**
     * Starts a publisher over a producer of the application, which nobody closes here. If a message fails, what the
     * producer has in its buffer cannot be dropped. So a topic with more than one message of a partition in flight is
     * refused. A producer that can do nothing more is not replaced.
     *
     * @param settings those that the producer was made with. A producer does not tell them, so they are believed and
     *     checked
     * @throws ConfigurationException if a setting is refused
     */
    public static <T> Builder<T> over(Producer<byte[], byte[]> producer, Map<String, ?> settings) {
        Objects.requireNonNull(settings, "settings");
        return new Builder<>(
                ProducerSettings.ofTheirs(settings),
                Secrets.in(settings),
                Objects.requireNonNull(producer, "producer"));
    }

    @Override
    public CompletionStage<Receipt> publish(Delivery<T> delivery) {
        Pending stage = new Pending(delivery, starts.incrementAndGet());
        try {
            send(delivery, stage);
        } catch (RuntimeException e) {
            fail(stage, failures.withoutSecrets(e));
        }
        return stage;
    }

    /**
     * Takes a producer first, asks the gate afterwards, and sends to no other producer. If a message has failed before
     * the producer was taken, the gate knows. If one fails later, the producer ends, and drops what it has not sent.
     */
    @SuppressWarnings("FutureReturnValueIgnored") // the callback is told the same
    private void send(Delivery<T> delivery, Pending stage) {
        LiveProducer used = toSend();
        String topic = destination.apply(delivery);
        if (topic == null) {
            throw new PermanentFailureException("The function given to KafkaPublisher.Builder.topic returned null for a"
                    + " message; expected the name of a topic of Kafka.");
        }
        ProducerRecord<byte[], byte[]> message = message(topic, delivery);
        String hindrance = oneByOne.contains(delivery.topic()) ? null : gate.hindrance(delivery);
        if (hindrance != null) {
            stage.completeExceptionally(new BrokerUnavailableException("Message " + delivery.id()
                    + " was not sent, because message " + hindrance + " of its partition has failed and comes first."));
            return;
        }
        String finding = missing.finding(topic);
        if (finding != null) {
            throw new BrokerUnavailableException(finding);
        }
        used.start(stage);
        Exception end = used.end();
        if (end != null) { // the thread that made the next producer may not have seen it
            fail(stage, aborted(used, end));
            used.answered(stage);
            return;
        }
        Thread caller = Thread.currentThread();
        boolean[] sent = new boolean[1]; // of the caller alone
        try {
            used.producer().send(message, (metadata, thrown) -> {
                if (thrown == null) {
                    stage.complete(receipt(metadata));
                } else if (caller.equals(Thread.currentThread()) && !sent[0]) {
                    notSent(used, stage, topic, thrown);
                } else {
                    notTaken(used, stage, topic, thrown);
                }
                used.answered(stage);
            });
            sent[0] = true;
        } catch (RuntimeException e) {
            notSent(used, stage, topic, e);
            used.answered(stage);
        }
    }

    private ProducerRecord<byte[], byte[]> message(String topic, Delivery<T> delivery) {
        String key = delivery.key();
        ProducerRecord<byte[], byte[]> message = new ProducerRecord<>(
                topic,
                key == null ? null : key.getBytes(StandardCharsets.UTF_8),
                tombstone.test(delivery) ? null : delivery.payload());
        headers(delivery).forEach((name, value) -> message.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
        return message;
    }

    private Map<String, String> headers(Delivery<T> delivery) {
        Map<String, String> headers = OutboxHeaders.of(delivery);
        if (cloudEvents == null) {
            return headers;
        }
        Map<String, String> all = new LinkedHashMap<>(headers);
        cloudEvents
                .attributes(delivery)
                .forEach((name, value) ->
                        all.put(name.equals("datacontenttype") ? OutboxHeaders.CONTENT_TYPE : "ce_" + name, value));
        return all;
    }

    /** The name of the record, if the broker has told its offset: it does not for one that it had before. */
    private static Receipt receipt(RecordMetadata metadata) {
        return metadata.hasOffset() ? Receipt.of(metadata.toString()) : Receipt.taken();
    }

    /** The producer has not even put the message into its buffer. */
    private void notSent(LiveProducer used, Pending stage, String topic, Exception thrown) {
        if (thrown instanceof TimeoutException && !(thrown instanceof BufferExhaustedException)) {
            missing.add(topic, Objects.toString(failures.of(thrown, topic).getMessage()));
        }
        if (Failures.needsAnotherProducer(thrown) || thrown.getClass() == KafkaException.class) {
            abandon(used, thrown);
            fail(stage, aborted(used, thrown));
        } else {
            fail(stage, failures.of(thrown, topic));
        }
    }

    /**
     * The broker has not taken the message, as far as anybody knows. This runs on the thread that sends, which sends
     * nothing more of this producer once it is abandoned. No later message of the partition is under way, because the
     * producer has one request at a time.
     */
    private void notTaken(LiveProducer used, Pending stage, String topic, Exception thrown) {
        if (Failures.isPermanent(thrown)) {
            fail(stage, failures.of(thrown, topic));
            return;
        }
        boolean dropped = used.end() != null || closed;
        abandon(used, thrown);
        fail(stage, dropped ? aborted(used, thrown) : failures.of(thrown, topic));
    }

    private BrokerUnavailableException aborted(LiveProducer used, Exception thrown) {
        Exception end = used.end();
        return failures.unavailable(
                "The message was given up together with its producer, which ended with: "
                        + failures.text(end == null ? thrown : end),
                thrown);
    }

    private void fail(Pending stage, Exception failure) {
        if (!(failure instanceof PermanentFailureException)) {
            closeGate(stage);
        }
        stage.completeExceptionally(failure);
    }

    private void closeGate(Pending stage) {
        if (!oneByOne.contains(stage.delivery.topic())) {
            gate.close(stage.delivery, stage.order);
        }
    }

    /** Ends a producer of our own; the next message gets another one. */
    private void abandon(LiveProducer used, Exception reason) {
        if (factory != null && used.abandon(reason)) {
            LOG.info(
                    "[OUTBOX-501] The producer of {} is replaced, so that nothing is sent that was given up: {}",
                    this,
                    failures.text(reason));
        }
    }

    /** A producer that cannot be made now, because no name of a broker is found, may be made later. */
    private LiveProducer toSend() {
        try {
            return live();
        } catch (KafkaException e) {
            throw failures.unavailable("No producer could be made: " + failures.text(e), e);
        }
    }

    private LiveProducer live() {
        LiveProducer known = live;
        return known != null && known.end() == null && !closed ? known : another();
    }

    private synchronized LiveProducer another() {
        if (closed) {
            throw new BrokerUnavailableException(this + " is closed. Close it after the relay.");
        }
        LiveProducer known = live;
        if (known != null && known.end() == null) {
            return known;
        }
        if (factory == null) {
            throw new BrokerUnavailableException(this + " has no producer.");
        }
        if (known != null) { // what it drops has failed before there is another, whenever it says so
            known.open().forEach(this::closeGate);
        }
        LiveProducer made = new LiveProducer(factory.apply(settings.all()));
        live = made;
        return made;
    }

    /**
     * The producer in use. After a message has failed there is another one, so it should not be kept. To bind metrics
     * to every producer, use {@link Builder#producers}.
     *
     * @throws BrokerUnavailableException if the publisher is closed
     */
    public Producer<byte[], byte[]> producer() {
        return live().producer();
    }

    /**
     * Refuses a topic whose {@code publishTimeout} is over before the producer has given a message up, because the
     * producer could send the message after that. Also refuses a topic with several messages in flight, if {@code
     * max.in.flight.requests.per.connection} is set to more than 1, and a topic that is to have the same name in Kafka,
     * if Kafka does not allow that name.
     */
    @Override
    public void check(TopicSettings topic) {
        Duration longest = settings.longestAnswer();
        if (topic.publishTimeout().compareTo(longest) <= 0) {
            throw new ConfigurationException("Topic " + topic.name() + ": publishTimeout is " + topic.publishTimeout()
                    + ", and the producer of Kafka may still send a message after that time. Expected more than "
                    + longest + ", which is the sum of " + settings.describedTime()
                    + ". Give the topic a longer publishTimeout, or the producer shorter times.");
        }
        if (factory == null && topic.inFlight() > 1) {
            throw new ConfigurationException("Topic " + topic.name() + ": inFlight is " + topic.inFlight()
                    + ". Expected 1, because the producer of the application keeps messages in its buffer that would"
                    + " overtake one that fails. Or let the publisher make a producer: KafkaPublisher.builder.");
        }
        if (topic.inFlight() > 1 && settings.requestsInFlight() > 1) {
            throw new ConfigurationException("Topic " + topic.name() + ": inFlight is " + topic.inFlight()
                    + ", and max.in.flight.requests.per.connection is " + settings.requestsInFlight()
                    + ". Expected that one of them is 1, because the broker takes the first batches of a new producer"
                    + " in any order.");
        }
        if (usesTopicNames && !TOPIC_NAME.matcher(topic.name()).matches()) {
            throw new ConfigurationException("Topic " + topic.name() + ": Kafka can have no topic with that name."
                    + " Expected letters, digits, dots, underscores and hyphens, or another name for Kafka:"
                    + " KafkaPublisher.Builder.topic.");
        }
        if (topic.inFlight() == 1) {
            oneByOne.add(topic.name());
        } else {
            oneByOne.remove(topic.name());
        }
    }

    /**
     * Closes the producer, unless it is one of the application. Waits for messages in flight for up to {@link
     * Builder#closeTimeout}; those that are then without an answer fail. A message that is published later fails.
     */
    @Override
    public void close() {
        LiveProducer last;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            last = live;
        }
        if (factory != null && last != null && last.end() == null) {
            last.producer().close(closeTimeout);
        }
    }

    @Override
    public String toString() {
        return "KafkaPublisher[" + settings.clientId() + "]";
    }

    /** Looks for a topic, so that a name that is wrong is found early. */
    private void lookFor(String topic) {
        try {
            producer().partitionsFor(topic);
        } catch (TimeoutException e) {
            if (Failures.saysThatTopicIsMissing(e)) {
                throw refused("Kafka has no topic " + topic + ": create it, or change the name", e);
            }
            LOG.warn(
                    "[OUTBOX-502] {} does not know yet whether topic {} is there, because no broker at {} has said so."
                            + " Messages wait in the outbox until one does. If that lasts, check bootstrap.servers and"
                            + " security.protocol: {}",
                    this,
                    topic,
                    settings.all().get("bootstrap.servers"),
                    failures.text(e));
        } catch (InvalidTopicException e) {
            throw refused("Kafka can have no topic with the name " + topic, e);
        } catch (AuthenticationException e) {
            throw refused("Kafka does not accept who the publisher says it is", e);
        } catch (AuthorizationException e) {
            throw refused("Kafka does not allow the publisher to look at topic " + topic, e);
        } catch (InterruptException e) {
            throw refused("The thread was interrupted while it looked for topic " + topic, e);
        }
    }

    private ConfigurationException refused(String what, Exception thrown) {
        return failures.configuration(what + ". Kafka says: ", thrown);
    }

    /**
     * Collects what a publisher consists of. Used by one thread.
     *
     * @param <T> type of the messages
     */
    public static final class Builder<T> {
        private final ProducerSettings settings;
        private final Secrets secrets;
        private final @Nullable Producer<byte[], byte[]> producer;
        private Function<Map<String, Object>, Producer<byte[], byte[]>> factory =
                all -> new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
        private @Nullable String topic;
        private @Nullable Function<? super Delivery<T>, String> topicOf;
        private @Nullable CloudEvents<? super T> cloudEvents;
        private Predicate<? super Delivery<T>> tombstone = delivery -> false;
        private Duration closeTimeout = Duration.ofSeconds(5);

        private Builder(ProducerSettings settings, Secrets secrets, @Nullable Producer<byte[], byte[]> producer) {
            this.settings = settings;
            this.secrets = secrets;
            this.producer = producer;
        }

        /** The topic of Kafka that all messages go to. By default it has the name of the topic of the outbox. */
        public Builder<T> topic(String topic) {
            this.topic = Objects.requireNonNull(topic, "topic");
            this.topicOf = null;
            return this;
        }

        /** The topic of Kafka that each message goes to. Messages of one key keep their order within one topic. */
        public Builder<T> topic(Function<? super Delivery<T>, String> topic) {
            this.topicOf = Objects.requireNonNull(topic, "topic");
            this.topic = null;
            return this;
        }

        /** Makes each message a CloudEvent, in binary mode: its attributes are headers that begin with {@code ce_}. */
        public Builder<T> cloudEvents(CloudEvents<? super T> cloudEvents) {
            this.cloudEvents = Objects.requireNonNull(cloudEvents, "cloudEvents");
            return this;
        }

        /**
         * Which messages are tombstones: they are sent without a value, so that a compacted topic forgets their key. By
         * default none. Such a message needs a key.
         */
        public Builder<T> tombstoneWhen(Predicate<? super Delivery<T>> tombstone) {
            this.tombstone = Objects.requireNonNull(tombstone, "tombstone");
            return this;
        }

        /**
         * Makes producers, from settings that have all that the publisher needs; by default {@link KafkaProducer}. This
         * is the place to bind metrics to a producer, or to wrap one. It is called again after a message has failed.
         */
        public Builder<T> producers(Function<Map<String, Object>, Producer<byte[], byte[]>> factory) {
            this.factory = Objects.requireNonNull(factory, "factory");
            return this;
        }

        /** How long {@link KafkaPublisher#close} waits for messages in flight; by default 5 seconds. */
        public Builder<T> closeTimeout(Duration closeTimeout) {
            if (closeTimeout.isNegative()) {
                throw new ConfigurationException("closeTimeout is " + closeTimeout + "; expected 0 or more.");
            }
            this.closeTimeout = closeTimeout;
            return this;
        }

        /**
         * The publisher. If all messages go to one topic of Kafka, it looks for that topic now, for up to {@code
         * max.block.ms}. If the broker does not answer, it says so in the log, because a relay may start while its
         * broker is away.
         *
         * @throws ConfigurationException if no producer can be made from the settings, also because no name of a broker
         *     is found, if the broker says that the topic
         *     is not there, or if it refuses the publisher
         */
        public KafkaPublisher<T> build() {
            String fixed = topic;
            Function<? super Delivery<T>, String> function = topicOf;
            Function<? super Delivery<T>, String> any =
                    function != null ? function : delivery -> fixed != null ? fixed : delivery.topic();
            KafkaPublisher<T> publisher = new KafkaPublisher<>(this, any);
            try {
                publisher.producer();
                if (fixed != null) {
                    publisher.lookFor(fixed);
                }
                return publisher;
            } catch (ConfigurationException e) {
                publisher.close();
                throw e;
            } catch (KafkaException e) {
                publisher.close();
                throw publisher.failures.configuration("No producer can be made from these settings: ", e);
            }
        }
    }
}
