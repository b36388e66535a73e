package dev.outbox.publisher.tck;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.TopicSettings;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * A broken publisher, with the rule that it breaks. It may break others as a consequence.
 *
 * @param rule the id of the rule that must fail
 * @param consequences the ids of rules that may fail as well
 * @param faults those that are caused, because outages take time
 */
record Animal(
        String name,
        String rule,
        Set<String> consequences,
        int inFlight,
        Set<BrokerFault> faults,
        BiFunction<MemoryBroker, String, AsyncBrokerPublisher<String>> publisher) {
    private static final Set<BrokerFault> CUT_OFF = EnumSet.of(BrokerFault.CUT_OFF);

    static List<Animal> all() {
        List<Animal> all = new ArrayList<>();
        all.add(animal("keeps nothing after a crash", 1, EnumSet.of(BrokerFault.KILLED), NotDurable::new)
                .andSo(10));
        all.add(animal("answers before the broker does", 2, EnumSet.of(BrokerFault.CUT_OFF), Hasty::new)
                .andSo(1, 5, 7, 9, 10, 11, 12, 13, 14, 15, 16));
        all.add(animal("catches the failure and says nothing", 2, CUT_OFF, Swallowing::new)
                .andSo(10, 15, 16));
        all.add(animal("never answers while the broker is away", 3, CUT_OFF, Silent::new)
                .andSo(5, 10, 15, 16));
        all.add(animal("lets the caller wait for every message", 3, CUT_OFF, Blocking::new)
                .andSo(15));
        all.add(animal("sends after the failure was reported", 4, CUT_OFF, Late::new)
                .andSo(10));
        all.add(animal(
                "sends after the failure was reported, when the broker stands still",
                4,
                EnumSet.of(BrokerFault.PAUSED),
                LateAfterPause::new));
        all.add(animal("needs a restart after an outage", 5, CUT_OFF, Fragile::new)
                .andSo(10, 16));
        all.add(animal("calls an outage a poisoned message", 6, CUT_OFF, Fatalistic::new)
                .andSo(10));
        all.add(animal("calls an outage any failure", 6, CUT_OFF, Vague::new));
        all.add(animal("calls a message that is too large an outage", 7, CUT_OFF, Patient::new));
        all.add(animal("gives up everything with a message that is too large", 7, CUT_OFF, Sweeping::new));
        all.add(animal("tells the password", 8, CUT_OFF, Talkative::new));
        all.add(animal("tells the password in a cause", 8, CUT_OFF, Careful::new));
        all.add(animal("says nothing about a failure", 8, CUT_OFF, Wordless::new));
        all.add(animal("sends the newest first", 9, CUT_OFF, Backwards::new).andSo(7, 10));
        all.add(animal("spreads a key over units", 9, CUT_OFF, Spreading::new).andSo(10));
        all.add(new Animal(
                "goes on with what is in its buffer after a failure",
                "OBX-PUB-10",
                Set.of("OBX-PUB-2", "OBX-PUB-3"), // it takes its time for each message
                4,
                EnumSet.of(BrokerFault.PAUSED),
                Overtaking::new));
        all.add(new Animal(
                "takes a new message before the one that failed", "OBX-PUB-10", Set.of(), 4, CUT_OFF, Eager::new));
        all.add(animal("writes the payload as text", 11, CUT_OFF, Reencoding::new));
        all.add(animal("drops the headers of the application", 11, CUT_OFF, Headless::new));
        all.add(animal("hashes the key", 11, CUT_OFF, Hashing::new).andSo(9, 10));
        all.add(animal("draws an id for each try", 12, CUT_OFF, Renaming::new).andSo(1, 4, 7, 9, 10, 11, 13));
        all.add(animal("gives every message the same receipt", 13, CUT_OFF, Monotonous::new));
        all.add(animal("sends each message twice", 13, CUT_OFF, Stuttering::new).andSo(7, 9, 14));
        all.add(animal("takes messages after it was closed", 14, CUT_OFF, Undead::new));
        all.add(animal(
                "leaves messages without an answer when it closes", 15, EnumSet.of(BrokerFault.PAUSED), Careless::new));
        all.add(animal("never ends its close", 15, CUT_OFF, Endless::new));
        all.add(animal("leaves a thread", 16, CUT_OFF, Leaking::new));
        all.add(animal("takes any topic", 17, CUT_OFF, Uncritical::new));
        return all;
    }

    private static Animal animal(
            String name,
            int rule,
            Set<BrokerFault> faults,
            BiFunction<MemoryBroker, String, AsyncBrokerPublisher<String>> publisher) {
        return new Animal(name, "OBX-PUB-" + rule, Set.of(), 1, faults, publisher);
    }

    private Animal andSo(int... rules) {
        Set<String> ids = new TreeSet<>();
        for (int number : rules) {
            ids.add("OBX-PUB-" + number);
        }
        return new Animal(name, rule, ids, inFlight, faults, publisher);
    }

    @Override
    public String toString() {
        return rule + ": " + name;
    }

    private static final class NotDurable extends MemoryPublisher {
        NotDurable(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        boolean durable() {
            return false;
        }
    }

    private static final class Hasty extends MemoryPublisher {
        Hasty(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void enqueue(Pending pending) {
            pending.stage().complete(receipt());
            super.enqueue(pending);
        }
    }

    private static final class Swallowing extends MemoryPublisher {
        Swallowing(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void fail(Pending pending) {
            pending.stage().complete(Receipt.taken());
        }
    }

    private static final class Silent extends MemoryPublisher {
        Silent(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void fail(Pending pending) {}
    }

    private static final class Blocking extends MemoryPublisher {
        Blocking(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void pass(Pending pending) {
            super.pass(pending);
            pending.stage().handle((receipt, failure) -> failure).join();
            if (pending.stage().isCompletedExceptionally()) {
                sleep(200);
            }
        }
    }

    private static final class Late extends MemoryPublisher {
        Late(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void fail(Pending pending) {
            super.fail(pending);
            queue.add(new Pending(pending.delivery(), pending.stage()));
            sleep(5);
        }
    }

    private static final class LateAfterPause extends MemoryPublisher {
        LateAfterPause(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void fail(Pending pending) {
            super.fail(pending);
            queue.add(new Pending(pending.delivery(), pending.stage()));
        }
    }

    private static final class Fragile extends MemoryPublisher {
        private volatile boolean broken;

        Fragile(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        MemoryBroker.Answer attempt(Delivery<String> delivery) {
            MemoryBroker.Answer answer = broken ? MemoryBroker.Answer.AWAY : super.attempt(delivery);
            broken = answer == MemoryBroker.Answer.AWAY;
            return answer;
        }
    }

    private static final class Fatalistic extends MemoryPublisher {
        Fatalistic(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void fail(Pending pending) {
            pending.stage().completeExceptionally(new PermanentFailureException("The broker is away."));
        }

        @Override
        void unanswered(Pending pending) {
            super.fail(pending);
        }
    }

    private static final class Vague extends MemoryPublisher {
        Vague(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void fail(Pending pending) {
            pending.stage().completeExceptionally(new IllegalStateException("Something went wrong."));
        }
    }

    private static final class Patient extends MemoryPublisher {
        Patient(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void poison(Pending pending) {
            fail(pending);
        }
    }

    private static final class Sweeping extends MemoryPublisher {
        Sweeping(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void poison(Pending pending) {
            sleep(20); // until others are in the queue
            rest().forEach(this::fail);
            super.poison(pending);
        }
    }

    private static final class Talkative extends MemoryPublisher {
        Talkative(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void fail(Pending pending) {
            pending.stage()
                    .completeExceptionally(
                            new BrokerUnavailableException("memory://app:" + SECRET + "@broker does not answer."));
        }
    }

    private static final class Careful extends MemoryPublisher {
        Careful(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void fail(Pending pending) {
            pending.stage()
                    .completeExceptionally(new BrokerUnavailableException(
                            "The broker does not answer.", new IllegalStateException("password=" + SECRET)));
        }
    }

    private static final class Wordless extends MemoryPublisher {
        Wordless(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void fail(Pending pending) {
            pending.stage().completeExceptionally(new BrokerUnavailableException(""));
        }
    }

    private static final class Backwards extends MemoryPublisher {
        Backwards(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        @Nullable
        Pending take() throws InterruptedException {
            Thread.sleep(2);
            return queue.pollLast();
        }
    }

    private static final class Spreading extends MemoryPublisher {
        Spreading(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        String unit(Delivery<String> delivery) {
            return "unit " + ThreadLocalRandom.current().nextInt(8);
        }
    }

    private static final class Eager extends MemoryPublisher {
        Eager(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void pass(Pending pending) {
            enqueue(pending);
        }
    }

    /** What its buffer has of a partition is sent although the message before has failed. */
    private static final class Overtaking extends MemoryPublisher {
        Overtaking(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void away(Pending pending) {
            fail(pending);
        }
    }

    private static final class Reencoding extends MemoryPublisher {
        Reencoding(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        byte[] payload(Delivery<String> delivery) {
            return new String(delivery.payload(), UTF_8).getBytes(UTF_8);
        }
    }

    private static final class Headless extends MemoryPublisher {
        Headless(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        Map<String, String> headers(Delivery<String> delivery) {
            return Map.of(OutboxHeaders.ID, delivery.id(), OutboxHeaders.TOPIC, delivery.topic());
        }
    }

    private static final class Hashing extends MemoryPublisher {
        Hashing(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        ReceivedMessage message(Delivery<String> delivery) {
            ReceivedMessage sent = super.message(delivery);
            String key = Integer.toHexString(String.valueOf(sent.key()).hashCode());
            return new ReceivedMessage(sent.unit(), key, sent.headers(), sent.payload(), sent.id());
        }
    }

    private static final class Renaming extends MemoryPublisher {
        Renaming(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        String id(Delivery<String> delivery) {
            return UUID.randomUUID().toString();
        }
    }

    private static final class Monotonous extends MemoryPublisher {
        Monotonous(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        Receipt receipt() {
            return Receipt.of("a message");
        }
    }

    private static final class Stuttering extends MemoryPublisher {
        Stuttering(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        MemoryBroker.Answer attempt(Delivery<String> delivery) {
            super.attempt(delivery);
            return super.attempt(delivery);
        }
    }

    private static final class Undead extends MemoryPublisher {
        Undead(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void afterClose(Pending pending) {
            pending.stage().complete(Receipt.taken());
        }
    }

    private static final class Careless extends MemoryPublisher {
        Careless(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        void unanswered(Pending pending) {}
    }

    private static final class Endless extends MemoryPublisher {
        Endless(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        public void close() {
            boolean away = broker.take(destination, message(probe()), true) == MemoryBroker.Answer.AWAY;
            super.close();
            if (away) {
                sleep(10_000);
            }
        }

        private static Delivery<String> probe() {
            return new Delivery<>(
                    "", "probe", "", 0, null, Map.of(), new byte[MemoryBroker.MOST_BYTES + 1], 1, Instant.EPOCH);
        }
    }

    private static final class Leaking extends MemoryPublisher {
        Leaking(MemoryBroker broker, String destination) {
            super(broker, destination);
            Thread left = new Thread(() -> sleep(60_000), "memory-left");
            left.setDaemon(true);
            left.start();
        }
    }

    private static final class Uncritical extends MemoryPublisher {
        Uncritical(MemoryBroker broker, String destination) {
            super(broker, destination);
        }

        @Override
        public void check(TopicSettings topic) {}
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
