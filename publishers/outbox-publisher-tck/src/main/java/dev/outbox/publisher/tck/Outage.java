package dev.outbox.publisher.tck;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.Delivery;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a publisher did while its broker was away and afterwards. Several rules are about that, and outages take time,
 * so there is one for all of them.
 */
final class Outage {
    private static final int PARTITIONS = 4;
    private static final int MESSAGES = 12;

    private final BrokerFault fault;
    private final List<Answer> answers = new ArrayList<>();
    private final List<Answer> answersDuring = new ArrayList<>();

    /** Those whose messages cannot have been sent before they failed. */
    private final List<Answer> neverSent = new ArrayList<>();

    private final List<Answer> late = new ArrayList<>();
    private final Set<String> arrived = new LinkedHashSet<>();
    private @Nullable Throwable notRecovered;

    private Outage(BrokerFault fault) {
        this.fault = fault;
    }

    static Outage with(Bench bench, BrokerFault fault) throws Exception {
        Outage outage = new Outage(fault);
        List<AsyncBrokerPublisher<String>> publishers = new ArrayList<>();
        publishers.add(bench.open());
        bench.publishUntilTaken(publishers.get(0), bench.message(0));
        bench.during(fault, () -> {
            List<Answer> first = outage.publish(bench, publishers.get(0));
            if (fault != BrokerFault.PAUSED) {
                outage.neverSent.addAll(first);
            } else if (bench.harness().brokerSpeaksFirst()) {
                publishers.add(bench.open()); // the broker says nothing to it, so it cannot send
                outage.neverSent.addAll(outage.publish(bench, publishers.get(1)));
            }
        });
        for (AsyncBrokerPublisher<String> publisher : publishers) {
            outage.recover(bench, publisher);
        }
        for (AsyncBrokerPublisher<String> publisher : publishers) {
            Bench.close(publisher);
        }
        outage.arrived.addAll(bench.receivedIds());
        return outage;
    }

    private List<Answer> publish(Bench bench, AsyncBrokerPublisher<String> publisher) throws InterruptedException {
        long began = System.nanoTime();
        List<Answer> now = new ArrayList<>();
        for (int i = 0; i < MESSAGES; i++) {
            now.add(Answer.to(bench.message(i % PARTITIONS), publisher));
        }
        answers.addAll(now);
        for (Answer answer : now) {
            Duration left = bench.publishTimeout().minusNanos(System.nanoTime() - began);
            if (left.isNegative() || !answer.comesWithin(left)) {
                late.add(answer);
            }
        }
        answersDuring.addAll(now.stream().filter(Answer::isThere).toList());
        return now;
    }

    private void recover(Bench bench, AsyncBrokerPublisher<String> publisher) throws Exception {
        try {
            for (int partition = 0; partition < PARTITIONS; partition++) {
                Delivery<String> marker = bench.message(partition);
                bench.publishUntilTaken(publisher, marker);
            }
        } catch (AssertionError e) {
            notRecovered = e;
        }
        arrived.addAll(bench.receivedIds());
    }

    BrokerFault fault() {
        return fault;
    }

    /** The messages that were answered before the outage was over. */
    List<Answer> answersDuring() {
        return answersDuring;
    }

    /** All messages of the outage that were answered, whether in time or not. */
    List<Answer> answers() {
        return answers.stream().filter(Answer::isThere).toList();
    }

    /** Messages that were not answered within the time limit of their topic. */
    List<Answer> late() {
        return late;
    }

    /** Whether it shows what is sent after it has failed. */
    boolean showsLateSends() {
        return !neverSent.isEmpty();
    }

    /** Messages that failed before they can have been sent, and are at the broker nevertheless. */
    List<Answer> sentLater() throws InterruptedException {
        List<Answer> sent = new ArrayList<>();
        for (Answer answer : neverSent) {
            if (answer.isThere()
                    && answer.failureOrNull() != null
                    && arrived.contains(answer.delivery().id())) {
                sent.add(answer);
            }
        }
        return sent;
    }

    /** Why the publisher did not go on, or null if it did. */
    @Nullable
    Throwable notRecovered() {
        return notRecovered;
    }
}
