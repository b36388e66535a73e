package dev.outbox.store.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.ChildJvm;
import dev.outbox.processes.Signals;
import dev.outbox.servers.MongoServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Two processes of eight threads each want few partitions, with leases of a second, and in turns one of the processes
 * sleeps for longer than that, with whatever its threads had in hand.
 */
@Tag("mongo")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MongoContentionTest {
    private static final int PARTITIONS = 3;
    private static final int LEASE_MILLIS = 1_000;
    private static final int LEAST_PAUSES = 6;

    /** It goes on until so many batches have lost their hold, because that is what it is about. */
    private static final int LEAST_LOST = 4;

    /** So many batches of the other process are closed before a sleeping one is woken up. */
    private static final int MEANWHILE = 30;

    /** Nobody writes more while so many messages wait; on a quick disk the backlog would have no end. */
    private static final int BACKLOG = 600;

    @Test
    void noTwoClosesOfOnePartitionOverlap() throws Exception {
        try (TestOutbox outbox = new TestOutbox(MongoServer.shared());
                Child one = new Child(outbox.url);
                Child two = new Child(outbox.url)) {
            Set<String> written = new HashSet<>();
            write(outbox, written, one, two);
            Child sleeper = one;
            for (int pause = 0; pause < LEAST_PAUSES || one.count("lost") + two.count("lost") < LEAST_LOST; pause++) {
                Child awake = sleeper;
                sleeper = sleeper == one ? two : one;
                awaitHold(outbox, written, sleeper, awake);
                sleeper.pause();
                // What it had comes to the other one, in all partitions, so its leases are over.
                Set<String> partitionDocuments = new HashSet<>();
                int before = awake.closed.size();
                TestOutbox.eventually("the other process has every partition in turn", () -> {
                    write(outbox, written, one, two);
                    List<Line> closed = new ArrayList<>(awake.closed);
                    for (Line line : closed.subList(before, closed.size())) {
                        line.names.forEach(name -> partitionDocuments.add(name.substring(name.indexOf('/'))));
                    }
                    return partitionDocuments.size() == PARTITIONS && closed.size() >= before + MEANWHILE ? true : null;
                });
                sleeper.resume();
            }
            TestOutbox.eventually("all is settled", () -> {
                Set<String> settled = new HashSet<>(one.settled());
                settled.addAll(two.settled());
                return settled.containsAll(written) ? true : null;
            });
            check(written, one, two);
        }
    }

    private static void check(Set<String> written, Child one, Child two) {
        List<Line> all = new ArrayList<>(one.closed);
        all.addAll(two.closed);
        all.sort((a, b) -> Long.compare(a.opened, b.opened));
        Map<String, Line> settledBy = new HashMap<>();
        Map<String, Line> lastOf = new HashMap<>();
        for (Line line : all) {
            for (String name : line.names) {
                String id = name.substring(0, name.indexOf('/'));
                assertNull(settledBy.put(id, line), "settled twice: " + name);
            }
            Set<String> partitionDocuments = new HashSet<>();
            line.names.forEach(name -> partitionDocuments.add(name.substring(name.indexOf('/') + 1)));
            for (String partition : partitionDocuments) {
                Line last = lastOf.put(partition, line);
                assertTrue(
                        last == null || last.closing <= line.opened,
                        "partition " + partition + " was held twice at a time: " + last + " and " + line);
            }
        }
        assertEquals(written, settledBy.keySet(), "messages that were settled");
        assertTrue(one.closed.size() >= 60 && two.closed.size() >= 60, "one process had it all");
        int lost = one.count("lost") + two.count("lost");
        assertTrue(lost >= LEAST_LOST, "no contention: only " + lost + " batches lost their hold");
    }

    private static void awaitHold(TestOutbox outbox, Set<String> written, Child child, Child other) throws Exception {
        int before = child.count("holds");
        TestOutbox.eventually("the process has a batch", () -> {
            write(outbox, written, child, other);
            return child.count("holds") > before ? true : null;
        });
    }

    private static void write(TestOutbox outbox, Set<String> written, Child one, Child two) {
        if (written.size() - one.settled.get() - two.settled.get() > BACKLOG) {
            return;
        }
        for (int partition = 0; partition < PARTITIONS; partition++) {
            written.addAll(outbox.commit(partition, "a", "b"));
        }
    }

    /** A batch, as a child told of it. */
    private record Line(long opened, long closing, List<String> names) {}

    /** A process that takes and settles. */
    private static final class Child implements AutoCloseable {
        final List<Line> closed = Collections.synchronizedList(new ArrayList<>());
        final AtomicInteger settled = new AtomicInteger();
        private final ConcurrentLinkedQueue<String> others = new ConcurrentLinkedQueue<>();
        private final Process process;

        Child(String url) throws Exception {
            Path errors = Files.createTempFile("contention", ".log");
            process = ChildJvm.of(ContentionMain.class, 256, List.of(), List.of(url, Integer.toString(LEASE_MILLIS)))
                    .redirectOutput(ProcessBuilder.Redirect.PIPE)
                    .redirectError(errors.toFile())
                    .start();
            Thread reader = new Thread(this::read, "contention-output");
            reader.setDaemon(true);
            reader.start();
            TestOutbox.eventually("the process has opened its store", () -> {
                assertTrue(process.isAlive(), () -> "the process has ended of itself: " + text(errors));
                return others.contains("ready") ? true : null;
            });
        }

        private static String text(Path file) {
            try {
                return Files.readString(file);
            } catch (IOException e) {
                return e.toString();
            }
        }

        private void read() {
            try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
                for (String line = out.readLine(); line != null; line = out.readLine()) {
                    List<String> words = List.of(line.split(" ", -1));
                    if (words.get(0).equals("closed")) {
                        closed.add(new Line(
                                Long.parseLong(words.get(1)),
                                Long.parseLong(words.get(2)),
                                words.subList(3, words.size())));
                        settled.addAndGet(words.size() - 3);
                    } else {
                        others.add(words.get(0));
                    }
                }
            } catch (IOException e) {
                others.add("ended");
            }
        }

        int count(String what) {
            return Collections.frequency(new ArrayList<>(others), what);
        }

        Set<String> settled() {
            Set<String> ids = new HashSet<>();
            for (Line line : List.copyOf(closed)) {
                line.names.forEach(name -> ids.add(name.substring(0, name.indexOf('/'))));
            }
            return ids;
        }

        void pause() throws IOException {
            Signals.pause(process.toHandle());
        }

        void resume() throws IOException {
            Signals.resume(process.toHandle());
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }
}
