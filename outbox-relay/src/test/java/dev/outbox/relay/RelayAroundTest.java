package dev.outbox.relay;

import static dev.outbox.relay.Fixture.AT_ONCE;
import static dev.outbox.relay.Fixture.topic;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What runs around a publisher. */
class RelayAroundTest {
    private final Fixture fixture = new Fixture();
    private final List<String> seen = new CopyOnWriteArrayList<>();
    private final ThreadLocal<String> context = new ThreadLocal<>();

    private Receipt see(String what) {
        seen.add(what);
        return Receipt.of("b1");
    }

    private PublishInterceptor telling(String name) {
        return (delivery, call) -> {
            String before = context.get();
            context.set((before == null ? "" : before) + name);
            see(name + " before " + delivery.message());
            try {
                return call.proceed()
                        .whenComplete((receipt, failure) -> see(name + (failure == null ? " answer" : " failure")));
            } catch (Exception e) {
                see(name + " caught " + e.getMessage());
                throw e;
            } finally {
                see(name + " after");
                context.set(before);
            }
        };
    }

    private RoundResult round(Topic<String> topic, PublishInterceptor... interceptors) {
        fixture.commit(topic, "k:1");
        Relay.Builder builder = Fixture.relay(fixture.store).topic(topic);
        for (PublishInterceptor each : interceptors) {
            builder.around(each);
        }
        try (Relay relay = builder.build()) {
            return relay.processMessages(10);
        }
    }

    @Test
    void severalNestAroundASynchronousPublisher() {
        Topic<String> topic =
                topic("t").publisher(d -> see("publish in " + context.get())).build();
        assertEquals(new RoundResult(1, 0, null), round(topic, telling("A"), telling("B")));
        assertEquals(
                List.of("A before k:1", "B before k:1", "publish in AB", "B answer", "B after", "A answer", "A after"),
                seen);
        assertEquals(List.of(), fixture.operations().backlog());
    }

    @Test
    void anAsynchronousAnswerIsSeenWhenItComes() {
        CompletableFuture<Receipt> answer = new CompletableFuture<>();
        PublishInterceptor answering = (delivery, call) -> {
            try {
                return call.proceed();
            } finally {
                answer.complete(Receipt.taken()); // when the others have returned
            }
        };
        Topic<String> topic = topic("t")
                .asyncPublisher(d -> {
                    see("publish in " + context.get());
                    return answer;
                })
                .build();
        assertEquals(new RoundResult(1, 0, null), round(topic, answering, telling("A"), telling("B")));
        assertEquals(
                List.of("A before k:1", "B before k:1", "publish in AB", "B after", "A after", "B answer", "A answer"),
                seen);
    }

    @Test
    void whatThePublisherThrowsIsSeenAndStaysAFailure() {
        Topic<String> topic = topic("t")
                .retry(AT_ONCE)
                .publisher(d -> {
                    throw new IOException("no");
                })
                .build();
        assertEquals(new RoundResult(0, 1, null), round(topic, telling("A")));
        assertEquals(List.of("A before k:1", "A caught no", "A after"), seen);
        assertEquals(
                "java.io.IOException: no",
                fixture.operations().failingPartitions().get(0).reason());
    }

    @Test
    void whatAnInterceptorThrowsMeansTheSameAsFromThePublisher() {
        for (boolean async : new boolean[] {false, true}) {
            String name = async ? "async" : "sync";
            Topic.Builder<String> builder = topic(name).retry(AT_ONCE);
            Topic<String> topic = (async
                            ? builder.asyncPublisher(d -> CompletableFuture.completedStage(see("published")))
                            : builder.publisher(d -> see("published")))
                    .build();
            assertEquals(new RoundResult(0, 0, null), round(topic, (delivery, call) -> {
                throw new BrokerUnavailableException("circuit is open");
            }));
            assertEquals(List.of(), seen);
            assertEquals(new RoundResult(0, 1, null), round(topic, (delivery, call) -> {
                call.proceed();
                throw new IOException("after it was published");
            }));
            assertEquals(1, fixture.operations().failingPartitions().get(0).attempts());
            assertEquals(List.of("published"), seen);
            assertEquals(
                    new RoundResult(0, 1, null),
                    round(
                            topic,
                            (delivery, call) -> call.proceed().thenApply(receipt -> {
                                throw new PermanentFailureException("never");
                            })));
            assertEquals(1, fixture.operations().deadLetters(name, null, 10).size());
            seen.clear();
        }
    }

    @Test
    @SuppressWarnings("NullAway") // what code without such a check may do
    void nullIsAFailureThatSaysWhatIsExpected() {
        Topic<String> topic =
                topic("t").retry(AT_ONCE).publisher(d -> see("published")).build();
        assertEquals(new RoundResult(0, 1, null), round(topic, (delivery, call) -> null));
        String reason = fixture.operations().failingPartitions().get(0).reason();
        assertTrue(reason.contains("An interceptor of topic t returned null; expected"), reason);
    }

    /** An interceptor that answers later does not make a synchronous publisher asynchronous: the message is waited for. */
    @Test
    void aSynchronousTopicWaitsForTheStage() {
        Topic<String> topic = topic("t").publisher(d -> see("published")).build();
        assertEquals(
                new RoundResult(1, 0, null),
                round(
                        topic,
                        (delivery, call) -> call.proceed()
                                .thenApplyAsync(
                                        receipt -> see("later"),
                                        CompletableFuture.delayedExecutor(20, TimeUnit.MILLISECONDS))));
        assertEquals(List.of("published", "later"), seen);
    }

    @Test
    void anInterceptorThatNeverAnswersCostsOneAttempt() {
        Topic<String> topic = topic("t")
                .publishTimeout(Duration.ofMillis(50))
                .publisher(d -> Receipt.taken())
                .build();
        assertEquals(new RoundResult(0, 1, null), round(topic, (d, call) -> {
            call.proceed();
            return new CompletableFuture<>();
        }));
    }

    @Test
    void anInterruptThatAnInterceptorCaughtEndsTheRoundAndStaysSet() {
        Topic<String> topic = topic("t")
                .publisher(d -> {
                    throw new InterruptedException();
                })
                .build();
        assertEquals(new RoundResult(0, 0, null), round(topic, (d, call) -> {
            try {
                return call.proceed();
            } catch (Exception e) {
                return CompletableFuture.failedFuture(e);
            }
        }));
        assertTrue(Thread.interrupted());
        assertEquals(1, fixture.operations().backlog().size());
    }
}
