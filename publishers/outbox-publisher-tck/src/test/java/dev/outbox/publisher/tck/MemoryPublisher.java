package dev.outbox.publisher.tck;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.TopicSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A publisher to the broker in memory that keeps every rule. The animals of the zoo change one thing of it each. */
class MemoryPublisher implements AsyncBrokerPublisher<String>, AutoCloseable {
    /** How long it tries to send a message. */
    static final Duration LIMIT = Duration.ofMillis(150);

    /** A message on its way to the broker. */
    record Pending(Delivery<String> delivery, CompletableFuture<Receipt> stage) {}

    final MemoryBroker broker;
    final String destination;

    /** As in a configuration; no text may have it. */
    static final String SECRET = "s3cret-of-memory";

    final BlockingDeque<Pending> queue = new LinkedBlockingDeque<>();
    private final Map<Integer, String> firstFailures = new HashMap<>();
    private final AtomicLong numbers = new AtomicLong();
    private final Thread sender;
    private volatile boolean closed;

    MemoryPublisher(MemoryBroker broker, String destination) {
        this.broker = broker;
        this.destination = destination;
        this.sender = new Thread(this::send, "memory-sender");
        sender.setDaemon(true);
        sender.start();
    }

    @Override
    public CompletionStage<Receipt> publish(Delivery<String> delivery) {
        Pending pending = new Pending(delivery, new CompletableFuture<>());
        if (closed) {
            afterClose(pending);
        } else {
            pass(pending);
        }
        return pending.stage();
    }

    /** After a failure the next message of a partition must be the one that failed; any other is refused, once. */
    void pass(Pending pending) {
        synchronized (firstFailures) {
            String first = firstFailures.remove(pending.delivery().partition());
            if (first == null || first.equals(pending.delivery().id())) {
                enqueue(pending);
                return;
            }
        }
        fail(pending);
    }

    void enqueue(Pending pending) {
        queue.add(pending);
    }

    void afterClose(Pending pending) {
        pending.stage().completeExceptionally(new BrokerUnavailableException("The publisher is closed."));
    }

    @Override
    public void check(TopicSettings topic) {
        if (topic.publishTimeout().compareTo(LIMIT) <= 0) {
            throw new ConfigurationException(
                    "publishTimeout is " + topic.publishTimeout() + "; expected more than " + LIMIT + ".");
        }
    }

    private void send() {
        try {
            while (!closed) {
                Pending next = take();
                if (next != null) {
                    send(next);
                }
            }
        } catch (InterruptedException e) {
            // closed
        }
        for (Pending left : rest()) {
            unanswered(left);
        }
    }

    @Nullable
    Pending take() throws InterruptedException {
        return queue.poll(20, TimeUnit.MILLISECONDS);
    }

    private void send(Pending pending) {
        long end = System.nanoTime() + LIMIT.toNanos();
        MemoryBroker.Answer answer = attempt(pending.delivery());
        while (answer == MemoryBroker.Answer.NONE && System.nanoTime() - end < 0) {
            if (closed) {
                unanswered(pending);
                return;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            answer = attempt(pending.delivery());
        }
        switch (answer) {
            case TAKEN -> taken(pending);
            case TOO_LARGE -> poison(pending);
            default -> away(pending);
        }
    }

    MemoryBroker.Answer attempt(Delivery<String> delivery) {
        return broker.take(destination, message(delivery), durable());
    }

    void taken(Pending pending) {
        pending.stage().complete(receipt());
    }

    Receipt receipt() {
        return Receipt.of("message " + numbers.incrementAndGet());
    }

    void poison(Pending pending) {
        pending.stage().completeExceptionally(new PermanentFailureException("The message is too large."));
    }

    /** The message fails, and those in the queue, which must not overtake it. */
    void away(Pending pending) {
        List<Pending> failed = new ArrayList<>(List.of(pending));
        synchronized (firstFailures) {
            failed.addAll(rest());
            for (Pending each : failed) {
                firstFailures.putIfAbsent(
                        each.delivery().partition(), each.delivery().id());
            }
        }
        failed.forEach(this::fail);
    }

    void fail(Pending pending) {
        pending.stage().completeExceptionally(new BrokerUnavailableException("The broker is away."));
    }

    void unanswered(Pending pending) {
        fail(pending);
    }

    List<Pending> rest() {
        List<Pending> rest = new ArrayList<>();
        queue.drainTo(rest);
        return rest;
    }

    ReceivedMessage message(Delivery<String> delivery) {
        return new ReceivedMessage(unit(delivery), delivery.key(), headers(delivery), payload(delivery), id(delivery));
    }

    String unit(Delivery<String> delivery) {
        return "unit " + Math.floorMod(String.valueOf(delivery.key()).hashCode(), 3);
    }

    Map<String, String> headers(Delivery<String> delivery) {
        return OutboxHeaders.of(delivery);
    }

    byte[] payload(Delivery<String> delivery) {
        return delivery.payload();
    }

    String id(Delivery<String> delivery) {
        return delivery.id();
    }

    boolean durable() {
        return true;
    }

    @Override
    public void close() {
        closed = true;
        boolean interrupted = Thread.interrupted();
        try {
            sender.join(5_000);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
