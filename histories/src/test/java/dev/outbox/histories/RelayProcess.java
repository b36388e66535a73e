package dev.outbox.histories;

import dev.outbox.processes.Await;
import dev.outbox.processes.ChildJvm;
import dev.outbox.processes.SharedLog;
import dev.outbox.processes.SupervisedProcess;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A {@link RelayMain} that is started again whenever it dies, to be killed, paused, filled up, stopped and started. */
final class RelayProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(150);

    private final String name;
    private final Way way;
    private final SharedLog<Line> log;
    private final SupervisedProcess process;

    /**
     * Starts one.
     *
     * @param way its way to the server, which it alone goes
     */
    RelayProcess(
            String name,
            Way way,
            Map<String, String> options,
            SharedLog<Line> log,
            int workers,
            int batchSize,
            Map<String, String> environment)
            throws IOException {
        this.name = name;
        this.way = way;
        this.log = log;
        ProcessBuilder relay = ChildJvm.of(
                        RelayMain.class,
                        96,
                        List.of(
                                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                                "-Dorg.slf4j.simpleLogger.showDateTime=true"),
                        List.of(name, log.path().toString(), Integer.toString(workers), Integer.toString(batchSize)))
                .redirectError(Redirect.appendTo(errors()));
        relay.environment().putAll(environment);
        String input = way.url() + "\n"
                + options.entrySet().stream()
                        .map(option -> option.getKey() + "=" + option.getValue() + "\n")
                        .collect(Collectors.joining())
                + "\n";
        // The history will miss a relay that could not be started again.
        process = new SupervisedProcess(name, relay, input, e -> log.add(Line.now('X', name, 0, "START", e)));
    }

    String name() {
        return name;
    }

    Way way() {
        return way;
    }

    private File errors() {
        return new File(log.path() + "." + name + ".err");
    }

    /** As {@code kill -9}; it is started again. */
    void kill() throws InterruptedException {
        process.kill();
    }

    /** Leaves it no memory, for a while. */
    void fill(Duration time) throws IOException {
        process.tell("fill " + time.toMillis());
    }

    /** Stops all its threads, wherever they are, and waits until they stand still. */
    void pause() throws IOException {
        process.pause();
    }

    void resume() throws IOException {
        process.resume();
    }

    /** Has it finish, as for a deployment, and looks at what it leaves behind; it is started again. */
    void stopAndStart() throws Exception {
        Process last = process.current();
        int before = log.size();
        if (log.since(0).stream().noneMatch(line -> line.kind() == 'S' && isOf(last, line))) {
            last.destroy(); // it waits for its store to open, for the time limit of a connection if need be, and
            // has nothing to finish
        } else {
            process.tell("stop");
            awaitEnd(last, before);
        }
        process.endInput();
        if (!last.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError(name + " does not end");
        }
    }

    /** The same for good. */
    void stop() throws Exception {
        process.retire();
        stopAndStart();
    }

    private static boolean isOf(Process process, Line line) {
        return line.field(1).equals(Long.toString(process.pid()));
    }

    private void awaitEnd(Process last, int before) throws Exception {
        String pid = Long.toString(last.pid());
        boolean ended = Await.within(
                PATIENCE,
                () -> !last.isAlive()
                        || log.since(before).stream().anyMatch(line -> line.kind() == 'E' && isOf(last, line)));
        if (!ended || !last.isAlive()) {
            log.add(Line.now(
                    'E', name, pid, "all", (ended ? "ended by itself, see " : "does not stop, see ") + errors()));
            last.destroyForcibly();
        } else if (!Await.within(Duration.ofSeconds(75), () -> way.connections() == 0)) {
            log.add(Line.now('E', name, pid, "all", way.connections() + " connections"));
        }
    }

    @Override
    public void close() throws IOException {
        process.close();
        way.close();
    }
}
