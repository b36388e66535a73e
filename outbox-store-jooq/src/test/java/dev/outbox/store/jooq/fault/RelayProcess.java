package dev.outbox.store.jooq.fault;

import dev.outbox.processes.ChildJvm;
import dev.outbox.processes.SharedLog;
import dev.outbox.processes.SupervisedProcess;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A {@link RelayMain} that is started again whenever it dies, to be killed and paused. */
final class RelayProcess implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 180;

    private final String name;
    private final SharedLog<Line> log;
    private final SupervisedProcess process;

    RelayProcess(String name, String url, SharedLog<Line> log, Settings settings, Map<String, String> environment)
            throws IOException {
        this.name = name;
        this.log = log;
        ProcessBuilder relay = ChildJvm.of(
                        RelayMain.class,
                        128,
                        List.of("-Dorg.slf4j.simpleLogger.defaultLogLevel=off"), // what it runs into stands in the log
                        List.of(
                                name,
                                log.path().toString(),
                                Integer.toString(settings.workers()),
                                Integer.toString(settings.batchSize())))
                .redirectError(Redirect.appendTo(new File(log.path() + ".err")));
        relay.environment().putAll(environment);
        // The history will miss a relay that could not be started again.
        process = new SupervisedProcess(name, relay, url + "\n", e -> log.add(Line.of('X', name, "START", e)));
    }

    String name() {
        return name;
    }

    void tell(String command) throws IOException {
        process.tell(command);
    }

    /** As {@code kill -9}; it is started again. */
    void kill() throws InterruptedException {
        process.kill();
    }

    /** Stops all its threads, wherever they are, and waits until they stand still. */
    void pause() throws IOException {
        process.pause();
    }

    void resume() throws IOException {
        process.resume();
    }

    /** Lets it finish, and waits until it has. */
    void stop() throws Exception {
        process.retire();
        Process last = process.current();
        process.endInput();
        if (!last.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || last.exitValue() != 0) {
            throw new AssertionError(name + (last.isAlive() ? " does not stop" : " ended with " + last.exitValue())
                    + "; see " + log.path() + ".err");
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
