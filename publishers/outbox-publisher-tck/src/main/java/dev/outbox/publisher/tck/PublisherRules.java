package dev.outbox.publisher.tck;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.Codec;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import dev.outbox.Topic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The tests of the rules. */
interface PublisherRules {
    @Rule("OBX-PUB-1")
    default void aReceiptMeansThatTheBrokerKeepsTheMessage(Bench bench) throws Exception {
        List<Answer> answers = new ArrayList<>();
        Bench.unlessBusy(() -> {
            AsyncBrokerPublisher<String> publisher = bench.open();
            bench.publishUntilTaken(publisher, bench.message(0));
            answers.clear();
            for (int i = 0; i < 50; i++) {
                answers.add(Answer.to(bench.message(i % 4), publisher));
            }
            for (Answer answer : answers) {
                answer.receipt();
            }
        });
        if (!bench.faults(BrokerFault.KILLED).isEmpty()) {
            bench.during(BrokerFault.KILLED, () -> {});
        }
        Set<String> ids = new HashSet<>(bench.receivedIds());
        List<String> lost = answers.stream()
                .filter(answer -> !ids.contains(answer.delivery().id()))
                .map(Answer::name)
                .toList();
        assertEquals(List.of(), lost, "messages with a receipt that the broker does not have");
    }

    @Rule("OBX-PUB-2")
    default void noReceiptWhileTheBrokerIsAway(Outages outages) throws Exception {
        for (Outage outage : outages.all()) {
            for (Answer answer : outage.answersDuring()) {
                assertTrue(
                        answer.failureOrNull() != null,
                        "The broker was " + outage.fault() + ", and " + answer.name() + " got "
                                + answer.receiptOrNull());
            }
        }
    }

    @Rule("OBX-PUB-3")
    default void everyMessageIsAnsweredInTime(Outages outages) throws Exception {
        for (Outage outage : outages.all()) {
            assertEquals(
                    "",
                    outage.late().stream().map(Answer::name).collect(joining(", ")),
                    "messages without an answer in time, while the broker was " + outage.fault());
        }
    }

    @Rule("OBX-PUB-4")
    default void nothingIsSentAfterItFailed(Outages outages) throws Exception {
        List<Outage> all = outages.all().stream().filter(Outage::showsLateSends).toList();
        Verdicts.requireOne(all, "a message may be on its way in every fault that the harness can cause");
        for (Outage outage : all) {
            assertEquals(
                    "",
                    outage.sentLater().stream().map(Answer::name).collect(joining(", ")),
                    "messages that failed while the broker was " + outage.fault() + ", and that it has");
        }
    }

    @Rule("OBX-PUB-5")
    default void thePublisherGoesOnAfterTheBrokerIsBack(Outages outages) throws Exception {
        for (Outage outage : outages.all()) {
            Throwable failure = outage.notRecovered();
            if (failure != null) {
                throw new AssertionError(
                        "After the broker was " + outage.fault() + ": " + failure.getMessage(), failure);
            }
        }
    }

    @Rule("OBX-PUB-6")
    default void aBrokerThatIsAwayUsesUpNoAttempt(Outages outages) throws Exception {
        for (Outage outage : outages.all()) {
            for (Answer answer : outage.answers()) {
                Throwable failure = answer.failureOrNull();
                assertTrue(
                        failure == null || failure instanceof BrokerUnavailableException,
                        "The broker was " + outage.fault() + ", and " + answer.name() + " failed with " + failure);
            }
        }
    }

    @Rule("OBX-PUB-7")
    default void aMessageThatIsTooLargeHindersNoOther(Bench bench) throws Exception {
        Bench.unlessBusy(() -> publishOneThatIsTooLarge(bench));
    }

    private static void publishOneThatIsTooLarge(Bench bench) throws Exception {
        AsyncBrokerPublisher<String> publisher = bench.open();
        bench.publishUntilTaken(publisher, bench.message(1));
        byte[] tooLarge = new byte[bench.harness().refusedSize()];
        new Random(7).nextBytes(tooLarge);
        List<Answer> others = new ArrayList<>();
        others.add(Answer.to(bench.message(0), publisher));
        Answer poison = Answer.to(bench.message(0, "key-0", Map.of(), tooLarge), publisher);
        for (int i = 0; i < 3; i++) {
            others.add(Answer.to(bench.message(0), publisher));
        }
        Throwable failure = poison.failure();
        if (!(failure instanceof PermanentFailureException)) {
            throw new AssertionError("A message of " + tooLarge.length + " bytes failed with " + failure, failure);
        }
        List<String> taken = new ArrayList<>();
        for (Answer answer : others) {
            answer.receipt();
            taken.add(answer.delivery().id());
        }
        List<String> ids = bench.receivedIds();
        assertEquals(taken, ids.stream().filter(taken::contains).toList(), "the messages next to it, in their order");
    }

    @Rule("OBX-PUB-8")
    default void failuresHaveATextWithoutSecrets(Bench bench, Outages outages) throws Exception {
        Set<String> secrets = bench.harness().secrets();
        Verdicts.requireOne(secrets, "the harness names no secret that its publisher is given");
        for (Outage outage : outages.all()) {
            for (Answer answer : outage.answers()) {
                Texts.require(answer, secrets, "while the broker was " + outage.fault());
            }
        }
        AsyncBrokerPublisher<String> publisher = bench.open();
        bench.publishUntilTaken(publisher, bench.message(0));
        byte[] tooLarge = new byte[bench.harness().refusedSize()];
        Texts.require(
                Answer.to(bench.message(0, "key-0", Map.of(), tooLarge), publisher),
                secrets,
                "because it is too large");
        if (Bench.isCloseable(publisher)) {
            Bench.close(publisher);
            Texts.require(Answer.to(bench.message(0), publisher), secrets, "after the publisher was closed");
        }
    }

    @Rule("OBX-PUB-9")
    default void manyInFlightKeepTheirOrder(Bench bench) throws Exception {
        Bench.unlessBusy(() -> publishManyInFlight(bench));
    }

    private static void publishManyInFlight(Bench bench) throws Exception {
        AsyncBrokerPublisher<String> publisher = bench.open();
        bench.publishUntilTaken(publisher, bench.message(8));
        Map<String, List<String>> expected = new LinkedHashMap<>();
        for (int round = 0; round < 4; round++) { // a publisher that sends one by one has time for each
            List<Answer> answers = new ArrayList<>();
            for (int i = 0; i < 96; i++) {
                answers.add(Answer.to(bench.message(i % 8), publisher));
            }
            for (Answer answer : answers) {
                answer.receipt();
                expected.computeIfAbsent(String.valueOf(answer.delivery().key()), key -> new ArrayList<>())
                        .add(answer.delivery().id());
            }
        }
        Set<String> sent = new HashSet<>();
        expected.values().forEach(sent::addAll);
        Map<String, List<String>> arrived = new HashMap<>();
        Map<String, Set<String>> units = new HashMap<>();
        for (ReceivedMessage message : bench.received()) {
            String key = String.valueOf(message.key());
            if (sent.contains(message.id())) {
                arrived.computeIfAbsent(key, any -> new ArrayList<>()).add(message.id());
            }
            units.computeIfAbsent(key, any -> new HashSet<>()).add(message.unit());
        }
        units.forEach((key, in) -> assertEquals(1, in.size(), "order units of key '" + key + "': " + in));
        expected.forEach((key, ids) -> assertEquals(ids, arrived.get(key), "messages of key '" + key + "'"));
    }

    @Rule("OBX-PUB-10")
    default void faultsDoNotReorder(Bench bench) throws Exception {
        List<BrokerFault> faults = bench.faults(BrokerFault.CUT_OFF, BrokerFault.KILLED, BrokerFault.PAUSED);
        Verdicts.requireOne(faults, "the harness can neither cut off, kill nor pause its broker");
        Streams streams = new Streams(bench, bench.open());
        streams.start();
        try {
            streams.awaitProgress();
            for (BrokerFault fault : faults) {
                streams.survive(fault);
            }
        } finally {
            streams.stop();
        }
        streams.check(bench.received());
    }

    @Rule("OBX-PUB-11")
    default void everyByteArrives(Bench bench) throws Exception {
        AsyncBrokerPublisher<String> publisher = bench.open();
        bench.publishUntilTaken(publisher, bench.message(0));
        byte[] everyByte = new byte[256];
        for (int i = 0; i < everyByte.length; i++) {
            everyByte[i] = (byte) i;
        }
        byte[] large = new byte[100_000];
        new Random(11).nextBytes(large);
        Map<String, String> headers = Map.of(
                "tenant", "münchen → 東京 😀",
                "empty", "",
                "signs", "a=b;c,\"d\" %41 e: f",
                "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        List<Delivery<String>> deliveries = List.of(
                bench.message(0, "key-0", headers, everyByte),
                bench.message(
                        0, "schlüssel / 東京", Map.of(), "{\"b\": 1, \"a\" : 1.0}".getBytes(StandardCharsets.UTF_8)),
                bench.message(0, "key-0", Map.of(), large),
                bench.message(0, "key-0", Map.of(), new byte[0]),
                bench.message(0, null, headers, "no key".getBytes(StandardCharsets.UTF_8)));
        for (Delivery<String> delivery : deliveries) {
            Bench.unlessBusy(() -> Answer.to(delivery, publisher).receipt());
        }
        Map<String, ReceivedMessage> arrived = new HashMap<>();
        bench.received().forEach(message -> arrived.put(message.id(), message));
        for (Delivery<String> sent : deliveries) {
            ReceivedMessage message = arrived.get(sent.id());
            if (message == null) {
                throw new AssertionError("A message with a receipt is not at the broker under its id: " + sent);
            }
            assertArrayEquals(sent.payload(), message.payload(), "the payload of " + sent);
            assertEquals(sent.key(), message.key(), "the key of " + sent);
            sent.headers()
                    .forEach((name, value) ->
                            assertEquals(value, message.headers().get(name), "header '" + name + "' of " + sent));
        }
    }

    @Rule("OBX-PUB-12")
    default void everyTryHasTheIdOfTheDelivery(Bench bench) throws Exception {
        AsyncBrokerPublisher<String> publisher = bench.open();
        Delivery<String> first = bench.message(0);
        Delivery<String> again = new Delivery<>(
                first.message(),
                first.id(),
                first.topic(),
                first.partition(),
                first.key(),
                first.headers(),
                first.payload(),
                2,
                first.createdAt());
        Delivery<String> other = bench.message(0);
        bench.publishUntilTaken(publisher, first);
        Bench.unlessBusy(() -> Answer.to(again, publisher).receipt());
        Bench.unlessBusy(() -> Answer.to(other, publisher).receipt());
        List<ReceivedMessage> received = bench.received();
        assertEquals(
                Set.of(first.id(), other.id()),
                received.stream().map(ReceivedMessage::id).collect(java.util.stream.Collectors.toSet()),
                "ids of a message that was tried twice, and of another one");
        for (ReceivedMessage message : received) {
            assertEquals(message.id(), message.headers().get(OutboxHeaders.ID), "header " + OutboxHeaders.ID);
            assertEquals(Bench.TOPIC, message.headers().get(OutboxHeaders.TOPIC), "header " + OutboxHeaders.TOPIC);
        }
    }

    /** A client that sends again, because an answer is late, may bring a message twice. It does so rarely. */
    @Rule("OBX-PUB-13")
    default void severalThreadsPublish(Bench bench) throws Exception {
        List<Integer> twice = new ArrayList<>();
        do {
            Bench.unlessBusy(() -> twice.add(publishBySeveralThreads(bench)));
        } while (twice.get(twice.size() - 1) > 0 && twice.size() < 3);
        assertTrue(
                twice.contains(0), "Nothing failed, and of 160 messages came more than once, in three runs: " + twice);
    }

    /** Returns how many messages arrived again. */
    private static int publishBySeveralThreads(Bench bench) throws Exception {
        AsyncBrokerPublisher<String> publisher = bench.open();
        bench.publishUntilTaken(publisher, bench.message(0));
        int threads = 8;
        int each = 20; // a publisher that sends one by one has time for each
        List<List<Delivery<String>>> perThread = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
            List<Delivery<String>> deliveries = new ArrayList<>();
            for (int i = 0; i < each; i++) {
                deliveries.add(bench.message(thread));
            }
            perThread.add(deliveries);
        }
        List<Answer> answers = Collections.synchronizedList(new ArrayList<>());
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Callable<Object>> work = new ArrayList<>();
            perThread.forEach(deliveries -> work.add(() -> {
                deliveries.forEach(delivery -> answers.add(Answer.to(delivery, publisher)));
                return deliveries;
            }));
            for (Future<Object> done : executor.invokeAll(work)) {
                done.get();
            }
        } finally {
            executor.shutdownNow();
        }
        Set<String> receipts = new HashSet<>();
        int named = 0;
        for (Answer answer : answers) {
            String name = answer.receipt().id();
            if (name != null) {
                named++;
                receipts.add(name);
            }
        }
        assertEquals(named, receipts.size(), "different receipts of " + named);
        Set<String> sent = new HashSet<>();
        perThread.forEach(deliveries -> deliveries.forEach(delivery -> sent.add(delivery.id())));
        List<String> ids = bench.receivedIds().stream().filter(sent::contains).toList();
        assertEquals(threads * each, new HashSet<>(ids).size(), "different messages that arrived");
        return ids.size() - threads * each;
    }

    @Rule("OBX-PUB-14")
    default void aClosedPublisherRefuses(Bench bench) throws Exception {
        AsyncBrokerPublisher<String> publisher = openCloseable(bench);
        bench.publishUntilTaken(publisher, bench.message(0));
        Bench.close(publisher);
        Answer refused = Answer.to(bench.message(0), publisher);
        assertTrue(
                !(refused.failure() instanceof PermanentFailureException),
                "A closed publisher makes dead letters: " + refused.failure());
        Bench.close(publisher);
        assertEquals(
                1,
                new HashSet<>(bench.receivedIds()).size(),
                "different messages that arrived, of one before the close and one after it");
    }

    @Rule("OBX-PUB-15")
    default void aCloseAnswersEveryMessage(Bench bench) throws Exception {
        List<BrokerFault> faults = bench.faults(BrokerFault.PAUSED, BrokerFault.CUT_OFF);
        Verdicts.requireOne(faults, "the harness can neither pause its broker nor cut it off");
        AsyncBrokerPublisher<String> publisher = openCloseable(bench);
        bench.publishUntilTaken(publisher, bench.message(0));
        bench.during(faults.get(0), () -> {
            List<Answer> answers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                answers.add(Answer.to(bench.message(i % 4), publisher));
            }
            FutureTask<Boolean> close = new FutureTask<>(() -> {
                Bench.close(publisher);
                return true;
            });
            Thread thread = new Thread(close, "tck-close");
            thread.setDaemon(true);
            thread.start();
            try {
                close.get(bench.publishTimeout().toNanos(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                throw new AssertionError("The close did not return within " + bench.publishTimeout(), e);
            } catch (ExecutionException e) {
                throw new AssertionError("The close failed with " + e.getCause(), e);
            }
            assertEquals(
                    "",
                    answers.stream()
                            .filter(answer -> !answer.isThere())
                            .map(Answer::name)
                            .collect(joining(", ")),
                    "messages in flight that nobody has answered after the close");
        });
    }

    @Rule("OBX-PUB-16")
    default void nothingIsLeftAfterClose(Bench bench) throws Exception {
        bench.received(); // what the harness itself opens is there before
        Set<Thread> threads = Leftovers.threads();
        long sockets = Leftovers.sockets();
        AsyncBrokerPublisher<String> publisher = openCloseable(bench);
        bench.publishUntilTaken(publisher, bench.message(0));
        if (!bench.faults(BrokerFault.CUT_OFF).isEmpty()) {
            bench.during(
                    BrokerFault.CUT_OFF,
                    () -> Answer.to(bench.message(0), publisher).failure());
            bench.publishUntilTaken(publisher, bench.message(0));
        }
        Bench.close(publisher);
        Patience.await(
                () -> "the threads of the closed publisher have ended: " + Leftovers.threadsBut(threads),
                () -> Leftovers.threadsBut(threads).isEmpty());
        Verdicts.require(Leftovers.seesSockets(), "the system does not show the connections of a process");
        Patience.await("the connections of the closed publisher are closed", () -> Leftovers.sockets() <= sockets);
    }

    @Rule("OBX-PUB-17")
    default void aTopicThatWaitsTooShortlyIsRefused(Bench bench) throws Exception {
        AsyncBrokerPublisher<String> publisher = bench.open();
        Codec<String> text = new TextCodec();
        Topic.Builder<String> shortly =
                Topic.builder(Bench.TOPIC, text).asyncPublisher(publisher).publishTimeout(Duration.ofMillis(1));
        ConfigurationException refused = assertThrows(
                ConfigurationException.class, shortly::build, "a topic that waits for a millisecond was built");
        assertTrue(
                String.valueOf(refused.getMessage()).contains("publishTimeout"),
                "the message names publishTimeout: " + refused.getMessage());
        Topic<String> fit = shortly.publishTimeout(bench.publishTimeout()).build();
        assertEquals(bench.publishTimeout(), fit.publishTimeout(), "the time limit of a topic that is fit");
    }

    private static AsyncBrokerPublisher<String> openCloseable(Bench bench) throws Exception {
        AsyncBrokerPublisher<String> publisher = bench.open();
        Verdicts.require(Bench.isCloseable(publisher), publisher.getClass().getName() + " is not AutoCloseable");
        return publisher;
    }
}
