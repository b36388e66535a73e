package dev.outbox.sqs;

import static dev.outbox.sqs.SqsPublisherTest.failsWith;
import static dev.outbox.sqs.SqsPublisherTest.failure;
import static dev.outbox.sqs.SqsPublisherTest.start;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.processes.Await;
import dev.outbox.servers.SqsQueues;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsAsyncClientBuilder;

/** What answers of SQS mean that ElasticMQ never gives. They are made up here, after the documentation of AWS. */
class AnswersTest {
    /**
     * What an answer is.
     *
     * @param old the code in the header with which SQS serves older clients; empty for none
     */
    private record Answer(int status, String code, String message, String old) {
        Answer(int status, String code, String message) {
            this(status, code, message, "");
        }

        byte[] json() {
            String quoted = message.replace("\n", "\\n");
            return (status == 200
                            ? "{\"MessageId\": \"m-1\"}"
                            : "{\"__type\": \"com.amazonaws.sqs#" + code + "\", \"message\": \"" + quoted + "\"}")
                    .getBytes(StandardCharsets.UTF_8);
        }
    }

    private static final Answer TAKEN = new Answer(200, "", "");
    private static final String URL = "https://sqs.example/1/orders.fifo";
    private static final Duration BACKOFF = Duration.ofMillis(20);
    private static final String SIGNED = "The request signature we calculated does not match.\n"
            + "The Canonical String for this request should have been\nx-amz-security-token:s3cret";

    private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger questions = new AtomicInteger();
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile CountDownLatch toTell = new CountDownLatch(0);
    private volatile Answer toSend = TAKEN;
    private volatile Answer toQuestions = TAKEN;
    private volatile int largest = 1_000;
    private volatile boolean silent;

    /** A question has less than two seconds, and the first request of a JVM may need more. */
    @BeforeAll
    static void askOnce() throws Exception {
        AnswersTest first = new AnswersTest();
        try {
            SqsAsyncClient client = first.client().build();
            patient(client).facts().get(2, TimeUnit.MINUTES);
            closeSoon(client);
        } finally {
            first.stop();
        }
    }

    AnswersTest() throws IOException {
        server.createContext("/", this::answer);
        server.setExecutor(threads);
        server.start();
    }

    @AfterEach
    void stop() {
        end.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            boolean sends =
                    exchange.getRequestHeaders().getFirst("X-Amz-Target").endsWith("SendMessage");
            if (sends) {
                sent.incrementAndGet();
            } else {
                questions.incrementAndGet();
                await(toTell);
            }
            if (silent) {
                await(end);
            }
            Answer answer = sends ? toSend : toQuestions;
            byte[] body = sends || answer.status() != 200
                    ? answer.json()
                    : ("{\"Attributes\": {\"MaximumMessageSize\": \"" + largest + "\"}}")
                            .getBytes(StandardCharsets.UTF_8);
            if (!answer.old().isEmpty()) {
                exchange.getResponseHeaders().add("x-amzn-query-error", answer.old() + ";Sender");
            }
            // A connection that is kept may be closed by this server while the next request is on its way.
            exchange.getResponseHeaders().add("Connection", "close");
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private SqsAsyncClientBuilder client() {
        return SqsQueues.client("http://127.0.0.1:" + server.getAddress().getPort())
                .checksumValidationEnabled(false)
                .overrideConfiguration(settings -> settings.retryStrategy(AwsRetryStrategy.doNotRetry()));
    }

    private SqsPublisher.Builder<String> builder(SqsAsyncClientBuilder client) {
        return SqsPublisher.<String>builder(client).queue(URL).sendTimeout(Duration.ofSeconds(30));
    }

    private static Delivery<String> message(String text) {
        return message(text.getBytes(StandardCharsets.UTF_8));
    }

    private static Delivery<String> message(byte[] payload) {
        return new Delivery<>("m", "id", "orders", 0, null, Map.of(), payload, 1, Instant.EPOCH);
    }

    private static void hasNoSecret(Throwable failure) {
        for (@Nullable Throwable part = failure; part != null; part = part.getCause()) {
            assertFalse(part.toString().contains("s3cret"), part.toString());
        }
    }

    @Test
    void anAnswerSaysWhatAFailureMeans() {
        try (SqsPublisher<String> publisher = builder(client()).build()) {
            Map<Class<? extends Exception>, List<Answer>> meanings = Map.of(
                    BrokerUnavailableException.class,
                    List.of(
                            new Answer(500, "InternalError", "We encountered an internal error."),
                            new Answer(503, "ServiceUnavailable", "Slow down."),
                            new Answer(400, "RequestThrottled", "Request is throttled."),
                            new Answer(400, "ThrottlingException", "Rate exceeded"),
                            new Answer(400, "QueueDoesNotExist", "The specified queue does not exist."),
                            new Answer(403, "AccessDenied", "Access to the resource is denied."),
                            new Answer(400, "AccessDeniedException", "User is not authorized to perform: SendMessage"),
                            new Answer(400, "ExpiredTokenException", "The security token is expired"),
                            new Answer(403, "InvalidClientTokenId", "The security token is invalid."),
                            new Answer(403, "SignatureDoesNotMatch", SIGNED),
                            new Answer(400, "KmsDisabled", "The key is disabled."),
                            new Answer(400, "OverLimit", "Too many messages are in flight."),
                            new Answer(400, "UnsupportedOperation", "Not for this queue."),
                            new Answer(
                                    400,
                                    "UnsupportedOperation",
                                    "Not for this queue.",
                                    "AWS.SimpleQueueService.UnsupportedOperation"),
                            new Answer(400, "KmsDisabled", "The key is disabled.", "KMS.DisabledException"),
                            new Answer(
                                    400,
                                    "QueueDoesNotExist",
                                    "The specified queue does not exist.",
                                    "AWS.SimpleQueueService.NonExistentQueue")),
                    PermanentFailureException.class,
                    List.of(
                            new Answer(
                                    400,
                                    "InvalidParameterValue",
                                    "One or more parameters are invalid. Reason: Message must be shorter than 900 bytes."),
                            new Answer(400, "InvalidMessageContents", "Invalid characters were found"),
                            new Answer(413, "RequestEntityTooLarge", "The request is too large.")),
                    IOException.class,
                    List.of(new Answer(400, "InvalidParameterValue", "Value for a parameter is invalid.")));
            meanings.forEach((type, answers) -> answers.forEach(answer -> {
                toSend = answer;
                Throwable failure = failure(start(publisher, message("m")));
                assertInstanceOf(type, failure, answer.code());
                String first = answer.message().lines().findFirst().orElse("");
                String code =
                        answer.old().isEmpty() ? answer.code() : answer.old().replace("AWS.SimpleQueueService.", "");
                assertTrue(
                        failure.toString().contains(first) && failure.toString().contains("(" + code),
                        failure.toString());
                hasNoSecret(failure);
            }));
        }
    }

    /** A publisher that is not answered in time is built, and then the next one asks. */
    static ConfigurationException refusal(SqsPublisher.Builder<String> builder) throws Exception {
        AtomicReference<@Nullable ConfigurationException> refusal = new AtomicReference<>();
        Await.until("a publisher is refused", () -> {
            try {
                builder.build().close();
            } catch (ConfigurationException e) {
                refusal.set(e);
            }
            return refusal.get() != null;
        });
        return Objects.requireNonNull(refusal.get());
    }

    @Test
    void credentialsThatAreRefusedOrMissingAreToldWhenThePublisherIsBuilt() throws Exception {
        for (Answer answer : List.of(
                new Answer(403, "SignatureDoesNotMatch", SIGNED),
                new Answer(400, "UnrecognizedClientException", "The security token is invalid."),
                new Answer(403, "AccessDenied", "Access is denied."))) {
            toQuestions = answer;
            ConfigurationException refused = refusal(builder(client()));
            assertTrue(refused.toString().contains("Check the credentials"), refused.toString());
            hasNoSecret(refused);
        }
        SqsAsyncClientBuilder nobody = client().credentialsProvider(() -> {
            throw SdkClientException.create("Unable to load credentials from any of the providers in the chain");
        });
        ConfigurationException refused = refusal(builder(nobody));
        assertTrue(refused.toString().contains("Check the credentials"), refused.toString());
    }

    @Test
    void aQueueThatCannotBeAskedIsToldWhenThePublisherIsBuilt() throws Exception {
        toQuestions = new Answer(404, "InvalidAddress", "The address is not valid for this endpoint.");
        ConfigurationException refused = refusal(builder(client()));
        assertTrue(refused.toString().contains("Check the URL of the queue"), refused.toString());
        toQuestions = new Answer(400, "InvalidParameterValue", "Value for a parameter is invalid.");
        refused = refusal(builder(client()));
        assertTrue(refused.toString().contains("cannot be asked: Value for a parameter"), refused.toString());
        assertFalse(refused.toString().contains("message"), refused.toString());
    }

    @Test
    void aClientThatCannotBeMadeIsToldWhenThePublisherIsBuilt() throws Exception {
        SqsAsyncClientBuilder broken = (SqsAsyncClientBuilder) Proxy.newProxyInstance(
                AnswersTest.class.getClassLoader(),
                new Class<?>[] {SqsAsyncClientBuilder.class},
                (proxy, method, arguments) -> {
                    throw SdkClientException.create("Unable to load region from any of the providers in the chain");
                });
        ConfigurationException refused = refusal(builder(broken));
        assertTrue(refused.toString().contains("no client can be made: Unable to load region"), refused.toString());
    }

    @Test
    void aClientThatThrowsIsToldWhenThePublisherIsBuilt() throws Exception {
        SqsAsyncClientBuilder broken = client().overrideConfiguration(settings ->
                settings.addExecutionInterceptor(new ExecutionInterceptor() {
                    @Override
                    public void beforeExecution(Context.BeforeExecution context, ExecutionAttributes attributes) {
                        throw new IllegalArgumentException("not fit");
                    }
                }));
        ConfigurationException refused = refusal(builder(broken));
        assertTrue(refused.toString().contains("not fit"), refused.toString());
    }

    @Test
    void theQueueIsAskedAgainBeforeAMessageIsTooLarge() throws Exception {
        SqsAsyncClient client = client().build();
        Queue queue = patient(client);
        failsWith(PermanentFailureException.class, "takes 1000", publish(lane(queue), new byte[1_000]));
        assertEquals(0, sent.get());
        largest = 2_000;
        assertEquals(
                "m-1",
                publish(lane(queue), new byte[1_000]).get(2, TimeUnit.MINUTES).id());
        assertEquals(1, sent.get());
        closeSoon(client);
    }

    /** A question has minutes here. Those of a publisher have seconds, which a busy machine may need. */
    private static Queue patient(SqsAsyncClient client) {
        return new Queue(client, URL, Duration.ofMinutes(3));
    }

    @Test
    void messagesThatAreTooLargeShareOneQuestionWhichHoldsUpNoOthers() throws Exception {
        SqsAsyncClient client = client().build();
        Queue queue = patient(client);
        queue.facts().get(2, TimeUnit.MINUTES);
        toTell = new CountDownLatch(1);
        List<CompletableFuture<Receipt>> large = IntStream.range(0, 3)
                .mapToObj(i -> publish(lane(queue), new byte[1_000]))
                .toList();
        Await.until("the queue is asked again", () -> questions.get() > 1);
        publish(lane(queue), new byte[1]).get(2, TimeUnit.MINUTES);
        toTell.countDown();
        large.forEach(answer -> failsWith(PermanentFailureException.class, "takes 1000", answer));
        assertEquals(2, questions.get(), "questions, of which the first was before the messages");
        closeSoon(client);
    }

    @Test
    void aQueueThatDoesNotTellAgainIsUsedAsBefore() throws Exception {
        SqsAsyncClient client = client().build();
        Queue queue = patient(client);
        queue.facts().get(2, TimeUnit.MINUTES);
        toQuestions = new Answer(503, "ServiceUnavailable", "Slow down.");
        failsWith(BrokerUnavailableException.class, "Slow down", publish(lane(queue), new byte[1_000]));
        publish(lane(queue), new byte[1]).get(2, TimeUnit.MINUTES);
        toQuestions = TAKEN;
        failsWith(PermanentFailureException.class, "takes 1000", publish(lane(queue), new byte[1_000]));
        closeSoon(client);
    }

    @Test
    void theSizeIsInBytes() {
        SqsAsyncClient client = client().build();
        Queue queue = patient(client);
        byte[] text = "ü".repeat(500).getBytes(StandardCharsets.UTF_8);
        failsWith(PermanentFailureException.class, "has 1041 bytes", publish(lane(queue), text));
        failsWith(PermanentFailureException.class, "has 1068 bytes", publish(lane(queue), new byte[750]));
        closeSoon(client);
    }

    /** By its name, a queue is asked two questions of 3 minutes. The message has 5 minutes left. */
    @Test
    void aLateMessageDoesNotWaitForWhatTheQueueTells() {
        SqsAsyncClient client = client().build();
        Queue queue = new Queue(client, "orders.fifo", Duration.ofMinutes(3));
        Outgoing message = new Messages<String>(true, null, null).of(message("m"));
        silent = true;
        long late = System.nanoTime() - Duration.ofMinutes(55).toNanos();
        failsWith(
                BrokerUnavailableException.class,
                "has taken too long",
                lane(queue).publish(message, late).toCompletableFuture());
        closeSoon(client);
    }

    private static Lane lane(Queue queue) {
        return new Lane(queue, new Errors("orders.fifo"), Duration.ofHours(1), () -> false);
    }

    private static CompletableFuture<Receipt> publish(Lane lane, byte[] payload) {
        Outgoing message = new Messages<String>(true, null, null).of(message(payload));
        return lane.publish(message, System.nanoTime()).toCompletableFuture();
    }

    /** Which takes seconds. */
    private static void closeSoon(SqsAsyncClient client) {
        new Thread(client::close).start();
    }

    /** The client has no reason to stop trying, except that its time is over. */
    @Test
    void noTryComesAfterAMessageHasFailed() throws Exception {
        SqsAsyncClientBuilder patient = client().overrideConfiguration(
                        settings -> settings.retryStrategy(AwsRetryStrategy.standardRetryStrategy().toBuilder()
                                .maxAttempts(Integer.MAX_VALUE)
                                .circuitBreakerEnabled(false)
                                .backoffStrategy(BackoffStrategy.fixedDelayWithoutJitter(BACKOFF))
                                .throttlingBackoffStrategy(BackoffStrategy.fixedDelayWithoutJitter(BACKOFF))
                                .build()));
        try (SqsPublisher<String> publisher =
                builder(patient).sendTimeout(Duration.ofSeconds(2)).build()) {
            Await.until("a message that the client tries more than once", () -> {
                toSend = new Answer(500, "InternalError", "We encountered an internal error.");
                int before = sent.get();
                failsWith(BrokerUnavailableException.class, "orders.fifo", start(publisher, message("m")));
                return sentWhenQuiet() > before + 1;
            });
            Await.until("a message is taken in time", () -> {
                toSend = TAKEN;
                int before = sentWhenQuiet();
                boolean taken = start(publisher, message("m"))
                        .handle((receipt, failure) -> failure == null)
                        .get(2, TimeUnit.MINUTES);
                assertTrue(!taken || sent.get() == before + 1, "requests after the failure: " + (sent.get() - before));
                return taken;
            });
        }
    }

    /** The last try may be under way when its message fails. */
    private int sentWhenQuiet() throws Exception {
        AtomicInteger seen = new AtomicInteger();
        Await.until("no more tries", () -> {
            seen.set(sent.get());
            Await.passed(BACKOFF.multipliedBy(10));
            return seen.get() == sent.get();
        });
        return seen.get();
    }

    @Test
    void aCloseEndsARequestThatIsNotAnswered() {
        SqsPublisher<String> publisher = builder(client()).build();
        silent = true;
        var answer = start(publisher, message("m"));
        Thread.currentThread().interrupt(); // so that the close does not wait for the answer first
        publisher.close();
        assertTrue(Thread.interrupted(), "the thread is still interrupted");
        assertTrue(answer.isDone(), "there is an answer");
        failsWith(BrokerUnavailableException.class, "before its publisher was closed", answer);
        failsWith(BrokerUnavailableException.class, "closed", start(publisher, message("n")));
    }
}
