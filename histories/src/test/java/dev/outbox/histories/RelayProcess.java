package dev.outbox.histories;

import java.io.File;
import java.io.IOException;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A {@link RelayMain} that is started again whenever it dies, to be killed, paused, filled up, stopped and started. */
final class RelayProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(150);

    private final String name;
    private final String input;
    private final Way way;
    private final Log log;
    private final int workers;
    private final int batchSize;
    private final Map<String, String> environment;

    // Guarded by this.
    private Process process;
    private Writer commands;
    private boolean stopping;

    /**
     * Starts one.
     *
     * @param way its way to the server, which it alone goes
     */
    RelayProcess(
            String name,
            Way way,
            Map<String, String> options,
            Log log,
            int workers,
            int batchSize,
            Map<String, String> environment)
            throws IOException {
        this.name = name;
        this.way = way;
        this.input = way.url() + "\n"
                + options.entrySet().stream()
                        .map(option -> option.getKey() + "=" + option.getValue() + "\n")
                        .collect(Collectors.joining())
                + "\n";
        this.log = log;
        this.workers = workers;
        this.batchSize = batchSize;
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

    Way way() {
        return way;
    }

    private Process launch() throws IOException {
        ProcessBuilder relay = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx96m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                        "-Dorg.slf4j.simpleLogger.showDateTime=true",
                        "-cp",
                        System.getProperty("java.class.path"),
                        RelayMain.class.getName(),
                        name,
                        log.path().toString(),
                        Integer.toString(workers),
                        Integer.toString(batchSize)))
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.appendTo(errors()));
        relay.environment().putAll(environment);
        return relay.start();
    }

    private File errors() {
        return new File(log.path() + "." + name + ".err");
    }

    private Writer firstCommand(Process started) throws IOException {
        Writer writer = started.outputWriter(StandardCharsets.UTF_8);
        writer.write(input);
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
            log.add(Line.now('X', name, 0, "START", e)); // and the history will miss it
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean startAgain() throws IOException {
        if (!stopping && !process.isAlive()) {
            process = launch();
            commands = firstCommand(process);
        }
        return !stopping;
    }

    private synchronized void tell(String command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
    }

    /** As {@code kill -9}; it is started again. */
    void kill() throws InterruptedException {
        Process victim = current();
        victim.destroyForcibly();
        victim.waitFor();
    }

    /** Leaves it no memory, for a while. */
    void fill(Duration time) throws IOException {
        tell("fill " + time.toMillis());
    }

    /** Stops all its threads, wherever they are, and waits until they stand still. */
    synchronized void pause() throws Exception {
        signal("STOP");
        Path state = Path.of("/proc", Long.toString(process.pid()), "stat");
        if (Files.exists(state)) { // elsewhere the signal has to be trusted
            Await.until(name + " stands still", PATIENCE, () -> {
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
            throw new IllegalStateException("No signal " + signal + " for " + name);
        }
    }

    /** Has it finish, as for a deployment, and looks at what it leaves behind; it is started again. */
    void stopAndStart() throws Exception {
        Process last = current();
        int before = log.size();
        if (log.since(0).stream().noneMatch(line -> line.kind() == 'S' && isOf(last, line))) {
            last.destroy(); // it waits for its store to open, for the time limit of a connection if need be, and
            // has nothing to finish
        } else {
            tell("stop");
            awaitEnd(last, before);
        }
        synchronized (this) {
            commands.close();
        }
        if (!last.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError(name + " does not end");
        }
    }

    /** The same for good. */
    void stop() throws Exception {
        synchronized (this) {
            stopping = true;
        }
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
        synchronized (this) {
            stopping = true;
            process.destroyForcibly();
        }
        way.close();
    }
}
