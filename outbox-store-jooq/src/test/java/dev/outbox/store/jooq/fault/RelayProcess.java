package dev.outbox.store.jooq.fault;

import java.io.File;
import java.io.IOException;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A {@link RelayMain} that is started again whenever it dies, to be killed and paused. */
final class RelayProcess implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 60;

    private final String name;
    private final String url;
    private final Log log;
    private final Settings settings;
    private final Map<String, String> environment;

    // Guarded by this.
    private Process process;
    private Writer commands;
    private boolean stopping;

    RelayProcess(String name, String url, Log log, Settings settings, Map<String, String> environment)
            throws IOException {
        this.name = name;
        this.url = url;
        this.log = log;
        this.settings = settings;
        this.environment = environment;
        this.process = launch();
        this.commands = firstCommand(process);
        Thread supervisor = new Thread(this::supervise, "supervise-" + name);
        supervisor.setDaemon(true);
        supervisor.start();
    }

    String name() {
        return name;
    }

    private Process launch() throws IOException {
        ProcessBuilder relay = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", // what it runs into stands in the log
                        "-cp",
                        System.getProperty("java.class.path"),
                        RelayMain.class.getName(),
                        name,
                        log.path().toString(),
                        Integer.toString(settings.workers()),
                        Integer.toString(settings.batchSize())))
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.appendTo(new File(log.path() + ".err")));
        relay.environment().putAll(environment);
        return relay.start();
    }

    private Writer firstCommand(Process started) throws IOException {
        Writer writer = started.outputWriter(StandardCharsets.UTF_8);
        writer.write(url + "\n");
        writer.flush();
        return writer;
    }

    private synchronized Process current() {
        return process;
    }

    private void supervise() {
        try {
            do {
                current().waitFor();
            } while (startAgain());
        } catch (IOException e) {
            log.add(Line.of('X', name, "START", e)); // and the history will miss it
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean startAgain() throws IOException {
        if (!stopping) {
            process = launch();
            commands = firstCommand(process);
        }
        return !stopping;
    }

    synchronized void tell(String command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
    }

    /** As {@code kill -9}; it is started again. */
    synchronized void kill() {
        process.destroyForcibly();
    }

    /** Stops all its threads, wherever they are, and waits until they stand still. */
    synchronized void pause() throws Exception {
        signal("STOP");
        Path state = Path.of("/proc", Long.toString(process.pid()), "stat");
        if (Files.exists(state)) { // elsewhere the signal has to be trusted
            Await.until("the relay stands still", () -> {
                String stat = Files.readString(state);
                return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
            });
        }
    }

    synchronized void resume() throws Exception {
        signal("CONT");
    }

    private void signal(String signal) throws Exception {
        Process kill = new ProcessBuilder("sh", "-c", "kill -" + signal + " " + process.pid()).start();
        if (kill.waitFor() != 0) {
            throw new IllegalStateException("No signal " + signal + " for the relay.");
        }
    }

    /** Lets it finish, and waits until it has. */
    void stop() throws Exception {
        Process last;
        synchronized (this) {
            stopping = true;
            last = process;
            commands.close();
        }
        if (!last.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || last.exitValue() != 0) {
            throw new AssertionError(name + (last.isAlive() ? " does not stop" : " ended with " + last.exitValue())
                    + "; see " + log.path() + ".err");
        }
    }

    @Override
    public synchronized void close() {
        stopping = true;
        process.destroyForcibly();
    }
}
