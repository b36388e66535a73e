package dev.outbox.store.redis;

import dev.outbox.StoreOptions;
import dev.outbox.processes.ChildJvm;
import dev.outbox.processes.Signals;
import dev.outbox.tck.internal.history.History;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A {@link RelayMain}, to be killed and paused, and what it says. */
final class RelayProcess implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 180;

    /** Batches that were closed well. */
    final AtomicInteger closed = new AtomicInteger();

    /** Batches whose hold was lost. */
    final AtomicInteger lost = new AtomicInteger();

    /** What the store failed with. */
    final Queue<String> errors = new ConcurrentLinkedQueue<>();

    /** Messages in batches that were closed well. */
    final Set<String> settled = ConcurrentHashMap.newKeySet();

    private final String name;
    private final Process process;
    private final Thread reader;
    private final Map<String, List<History.Delivered>> open = new HashMap<>();
    private final Queue<History.Delivered> done = new ConcurrentLinkedQueue<>();
    private volatile boolean started;
    private volatile boolean ended;
    private volatile boolean killed;

    /**
     * Starts one.
     *
     * @param broker the longest time in ms that a message takes
     */
    RelayProcess(String name, String url, StoreOptions options, int workers, int batchSize, int broker)
            throws IOException {
        this.name = name;
        List<String> arguments = new ArrayList<>(
                List.of(url, Integer.toString(workers), Integer.toString(batchSize), Integer.toString(broker)));
        options.asMap().forEach((key, value) -> arguments.add(key + "=" + value));
        process = ChildJvm.of(
                        RelayMain.class,
                        128,
                        List.of("-Dorg.slf4j.simpleLogger.defaultLogLevel=off"), // what it runs into is among the
                        // errors
                        arguments)
                .redirectOutput(ProcessBuilder.Redirect.PIPE)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        reader = new Thread(this::read, "read-" + name);
        reader.setDaemon(true);
        reader.start();
    }

    boolean hasEndedByItself() {
        return !process.isAlive() && !killed && !ended;
    }

    void awaitStart() {
        Load.await(() -> started, name + " opens its store");
    }

    private void read() {
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case "S" -> started = true;
                    case "E" -> ended = true;
                    case "X" -> errors.add(line);
                    case "C" -> open.put(words[1], batch(words));
                    case "K" -> {
                        for (History.Delivered d : Objects.requireNonNull(open.remove(words[1]))) {
                            done(d, History.End.valueOf(words[2]), Long.parseLong(words[3]));
                        }
                        (words[2].equals("NOT_DONE") ? lost : closed).addAndGet(words[2].equals("UNKNOWN") ? 0 : 1);
                    }
                    default -> throw new IllegalStateException(name + " said: " + line);
                }
            }
        } catch (IOException e) {
            errors.add("X OUTPUT " + e);
        }
        open.values().forEach(batch -> batch.forEach(d -> done(d, History.End.UNKNOWN, Long.MAX_VALUE)));
    }

    private List<History.Delivered> batch(String[] words) {
        List<History.Delivered> batch = new ArrayList<>();
        for (int i = 5; i < words.length; i++) {
            String[] message = words[i].split("/", -1);
            batch.add(new History.Delivered(
                    message[0],
                    message[1],
                    name + "-" + words[1],
                    i - 5,
                    Boolean.parseBoolean(message[2]),
                    Long.parseLong(words[2]),
                    Long.parseLong(words[3]),
                    Long.parseLong(words[4]),
                    Long.MAX_VALUE,
                    History.End.UNKNOWN));
        }
        return batch;
    }

    private void done(History.Delivered d, History.End end, long closeReturned) {
        done.add(new History.Delivered(
                d.id(),
                d.partition(),
                d.batch(),
                d.index(),
                d.settled(),
                d.checkoutCalled(),
                d.checkoutReturned(),
                d.closeCalled(),
                closeReturned,
                end));
        if (d.settled() && end == History.End.OK) {
            settled.add(d.id());
        }
    }

    /** All it had in its hands; to be asked when it has ended. */
    List<History.Delivered> delivered() {
        return List.copyOf(done);
    }

    /** As {@code kill -9}; returns when all it said has been read. */
    void kill() throws InterruptedException {
        killed = true;
        // Not through the process itself, which would throw away what it has said and nobody has read.
        process.toHandle().destroyForcibly();
        reader.join();
    }

    /** Stops all its threads, wherever they are, and returns when they stand still. */
    void pause() throws IOException {
        Signals.pause(process.toHandle());
    }

    void resume() throws IOException {
        Signals.resume(process.toHandle());
    }

    /** Lets it finish, and returns when all it said has been read. */
    void stop() throws Exception {
        if (killed) {
            return;
        }
        process.outputWriter().close();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError(name + " does not stop");
        }
        reader.join();
        if (!ended) {
            throw new AssertionError(name + " ended by itself with " + process.exitValue());
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
