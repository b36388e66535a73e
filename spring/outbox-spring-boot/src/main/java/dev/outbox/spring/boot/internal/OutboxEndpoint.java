package dev.outbox.spring.boot.internal;

import dev.outbox.DeadLetter;
import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.relay.RelayState;
import dev.outbox.spring.OutboxRelay;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.lang.Nullable;

/**
 * The operations of an outbox as an endpoint of Spring Boot. By default it can only be read. It shows neither payloads
 * nor headers. Parameters are optional by the annotation of Spring, because Spring Boot 3.5 knows no other.
 */
@Endpoint(id = "outbox", defaultAccess = Access.READ_ONLY)
final class OutboxEndpoint {
    private static final int MOST = 100;

    private final Supplier<Store> store;
    private final @Nullable OutboxRelay relay;

    OutboxEndpoint(Supplier<Store> store, @Nullable OutboxRelay relay) {
        this.store = store;
        this.relay = relay;
    }

    /** What the write operations do. */
    enum Action {
        /** Ends the delays of failing partitions of a topic. */
        RETRY,
        /** Puts dead letters back at the end of their partitions. */
        REDRIVE
    }

    /** What waits, what fails and what was given up. */
    @ReadOperation
    Map<String, Object> overview() {
        Operations operations = operations();
        Map<String, Object> overview = new LinkedHashMap<>();
        RelayState state = relay == null ? null : relay.state();
        overview.put("relay", state == null ? "not running" : "running");
        overview.put("backlog", operations.backlog());
        overview.put("failingPartitions", operations.failingPartitions());
        overview.put("deadLetterTopics", operations.deadLetterTopics());
        return overview;
    }

    /** The dead letters of a topic, 100 at most; {@code afterId} is the last one of the page before. */
    @ReadOperation
    List<Map<String, Object>> deadLetters(@Selector String topic, @Nullable String afterId) {
        return operations().deadLetters(topic, afterId, MOST).stream()
                .map(OutboxEndpoint::shown)
                .toList();
    }

    /** Retries a topic, or one of its partitions; redrives dead letters by their ids, or all of a topic. */
    @WriteOperation
    Map<String, Integer> change(
            @Selector Action action, @Nullable String topic, @Nullable Integer partition, @Nullable List<String> ids) {
        Operations operations = operations();
        return switch (action) {
            case RETRY -> {
                String retried = required(topic, "topic");
                int done = partition == null
                        ? operations.retryNow(retried)
                        : operations.retryNow(retried, partition) ? 1 : 0;
                wakeUp();
                yield Map.of("retried", done);
            }
            case REDRIVE -> {
                int done = operations.redrive(ids == null ? all(required(topic, "topic or ids")) : ids);
                wakeUp();
                yield Map.of("redriven", done);
            }
        };
    }

    /** Deletes a dead letter for good. */
    @DeleteOperation
    Map<String, Integer> discard(@Selector String id) {
        return Map.of("discarded", operations().discard(List.of(id)));
    }

    /** All of the moment, first those that died first. */
    private List<String> all(String topic) {
        List<String> ids = new ArrayList<>();
        List<DeadLetter> page = operations().deadLetters(topic, null, MOST);
        while (!page.isEmpty()) {
            page.forEach(letter -> ids.add(letter.message().id()));
            page = operations().deadLetters(topic, ids.get(ids.size() - 1), MOST);
        }
        return ids;
    }

    private void wakeUp() {
        if (relay != null) {
            relay.wakeUp();
        }
    }

    private Operations operations() {
        return Operations.of(store.get());
    }

    private static String required(@Nullable String value, String name) {
        if (value == null) {
            throw new InvalidEndpointRequestException(
                    "The outbox endpoint needs the parameter " + name + ".", "Missing parameter: " + name);
        }
        return value;
    }

    private static Map<String, Object> shown(DeadLetter letter) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("id", letter.message().id());
        shown.put("partition", letter.message().partition());
        shown.put("attempts", letter.message().attempts());
        shown.put("reason", letter.reason());
        shown.put("diedAt", letter.diedAt());
        return shown;
    }
}
