package dev.outbox.histories.brokers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.processes.Await;
import dev.outbox.processes.ChildJvm;
import dev.outbox.processes.SupervisedProcess;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Writers and relays on a database, and a broker that is hurt. At the end a consumer counts: every committed message has
 * arrived, nothing else has, the messages of a key came first in the order in which they were written, and a message came
 * again only if a fault was between its arrivals.
 */
final class BrokerHistory {
    /** How long a fault has its effect after it has ended: a process sees it late, on a machine that is busy. */
    private static final long AFTERMATH = 10_000;

    private static final Set<String> LONG = Set.of("broker paused", "broker cut off");
    private static final Duration CALM = Duration.ofSeconds(1);

    /** When something was done to the broker or a relay, in milliseconds. */
    private record Trouble(String name, long begin, long end) {}

    private final String url;
    private final Broker broker;
    private final Random random;
    private final long seed;
    private final List<Trouble> troubles = new ArrayList<>();
    private final List<SupervisedProcess> relays = new ArrayList<>();

    BrokerHistory(String url, Broker broker, long seed) {
        this.url = url;
        this.broker = broker;
        this.seed = seed;
        this.random = new Random(seed);
    }

    /** Every fault once, or for some minutes any of them; returns a line with the counts. */
    String run(int minutes) throws Exception {
        long began = System.nanoTime();
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
        ExecutorService executor = Executors.newFixedThreadPool(2);
        List<BrokerWriter> writers = List.of(new BrokerWriter(url, 0, seed), new BrokerWriter(url, 1, seed));
        List<Future<List<String>>> written = new ArrayList<>();
        try {
            for (int relay = 0; relay < 2; relay++) {
                relays.add(new SupervisedProcess(
                        "relay-" + relay,
                        ChildJvm.of(BrokerRelayMain.class, 96, List.of(), List.of(url, broker.address())),
                        "",
                        trouble -> {
                            throw new UncheckedIOException(trouble);
                        }));
            }
            writers.forEach(writer -> written.add(executor.submit(writer)));
            Await.until("something has arrived", () -> !broker.arrivals().isEmpty());
            Map<String, Broker.Fault> faults = faults();
            if (minutes == 0) {
                for (Map.Entry<String, Broker.Fault> fault : faults.entrySet()) {
                    cause(fault.getKey(), fault.getValue());
                }
            } else {
                List<Map.Entry<String, Broker.Fault>> all = List.copyOf(faults.entrySet());
                long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(minutes);
                while (System.nanoTime() - end < 0) {
                    Map.Entry<String, Broker.Fault> fault = all.get(random.nextInt(all.size()));
                    cause(fault.getKey(), fault.getValue());
                }
            }
            writers.forEach(BrokerWriter::stop);
            List<String> committed = new ArrayList<>();
            for (Future<List<String>> texts : written) {
                committed.addAll(texts.get(60, TimeUnit.SECONDS));
            }
            awaitNothingLeft();
            String counts = check(committed, broker.arrivals());
            return counts + " seconds="
                    + Duration.ofNanos(System.nanoTime() - began).toSeconds() + " seed=" + seed;
        } finally {
            writers.forEach(BrokerWriter::stop);
            executor.shutdownNow();
            relays.forEach(SupervisedProcess::close);
        }
    }

    private interface Step {
        void run() throws Exception;
    }

    private Map<String, Broker.Fault> faults() {
        Map<String, Broker.Fault> faults = new LinkedHashMap<>();
        faults.put(
                "relay killed",
                fault(() -> relays.get(random.nextInt(relays.size())).kill(), () -> {}));
        faults.put("broker killed", fault(broker::kill, broker::restart));
        faults.put("connections cut", fault(broker::cut, () -> {}));
        faults.put(
                "relay paused",
                fault(() -> relays.get(0).pause(), () -> relays.get(0).resume()));
        faults.put("broker paused", fault(broker::pause, broker::resume));
        faults.put(
                "both relays killed",
                fault(() -> relays.get(0).kill(), () -> relays.get(1).kill()));
        faults.put("broker cut off", fault(broker::cutOff, broker::heal));
        return faults;
    }

    private static Broker.Fault fault(Step begin, Step end) {
        return new Broker.Fault() {
            @Override
            public void begin() throws Exception {
                begin.run();
            }

            @Override
            public void end() throws Exception {
                end.run();
            }
        };
    }

    /** A fault, after a time in which everything works. Some last longer than publishers wait for an answer. */
    private void cause(String name, Broker.Fault fault) throws Exception {
        Await.passed(CALM);
        long begin = System.currentTimeMillis();
        fault.begin();
        Await.passed(Duration.ofMillis(
                (name.startsWith("broker") ? 500 : 0) + random.nextInt(1_000) + (LONG.contains(name) ? 2_500 : 0)));
        fault.end();
        troubles.add(new Trouble(name, begin, System.currentTimeMillis()));
    }

    private void awaitNothingLeft() throws Exception {
        try (Store administrator = Stores.open(url)) {
            Await.until(
                    "everything was published",
                    () -> Operations.of(administrator).backlog().isEmpty());
            assertEquals(
                    List.of(),
                    Operations.of(administrator).deadLetterTopics(),
                    "topics with dead letters, although the broker refuses no message");
        }
    }

    private String check(List<String> committed, List<Broker.Arrival> arrivals) {
        Map<String, Long> first = new HashMap<>();
        Map<String, Integer> last = new HashMap<>();
        List<String> inversions = new ArrayList<>();
        List<String> unexplained = new ArrayList<>();
        int duplicates = 0;
        for (Broker.Arrival arrival : arrivals) {
            Long before = first.putIfAbsent(arrival.text(), arrival.at());
            if (before != null) {
                duplicates++;
                if (!isExplained(before, arrival.at())) {
                    unexplained.add(arrival.text());
                }
                continue;
            }
            int number =
                    Integer.parseInt(arrival.text().substring(arrival.text().indexOf(' ') + 1));
            Integer newest = last.put(arrival.key(), number);
            if (newest != null && newest > number) {
                inversions.add(arrival.text() + " first came after " + newest);
            }
        }
        Set<String> lost = new HashSet<>(committed);
        lost.removeAll(first.keySet());
        Set<String> madeUp = new HashSet<>(first.keySet());
        committed.forEach(madeUp::remove);
        String counts = "messages=" + committed.size() + " lost=" + lost.size() + " madeUp=" + madeUp.size()
                + " inversions=" + inversions.size() + " duplicates=" + duplicates + " unexplained="
                + unexplained.size()
                + " faults=" + troubles.size();
        assertTrue(
                lost.isEmpty() && madeUp.isEmpty() && inversions.isEmpty() && unexplained.isEmpty(),
                () -> counts + " seed " + seed + "\nlost " + lost + "\nmade up " + madeUp + "\ninversions " + inversions
                        + "\nunexplained " + unexplained + "\n" + troubles);
        assertTrue(committed.size() > 100, counts);
        return counts;
    }

    private boolean isExplained(long from, long to) {
        return troubles.stream().anyMatch(trouble -> trouble.begin() <= to && trouble.end() + AFTERMATH >= from);
    }
}
