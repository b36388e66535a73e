package dev.outbox.servers;

import dev.outbox.processes.Await;
import dev.outbox.processes.Signals;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A server in a JVM of its own, from a module that names the packages it needs, which Maven fetches. They are not on
 * the class path of this JVM: clients of another version may be on it.
 */
final class ServerJvm {
    private final String name;
    private final String main;
    private final Path directory;
    private final Path settings;
    private @Nullable Process process;

    /**
     * Starts nothing yet. The server ends with this JVM.
     *
     * @param name of the server; its module is {@code test-NAME}
     * @param main takes the file of settings, and makes a file with the ending {@code .ready} when it takes requests
     * @param directory for settings and log
     */
    ServerJvm(String name, String main, Path directory) {
        this.name = name;
        this.main = main;
        this.directory = directory;
        this.settings = directory.resolve("server.properties");
        Runtime.getRuntime().addShutdownHook(new Thread(this::kill, "stop-" + name));
    }

    void settings(List<String> lines) throws IOException {
        Files.write(settings, lines);
    }

    /** Starts the server, again with the data that it had; returns when it takes requests. */
    void start() throws Exception {
        Path ready = Path.of(settings + ".ready");
        Files.deleteIfExists(ready);
        Path log = directory.resolve("log");
        Process started = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        classPath(),
                        main,
                        settings.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        process = started;
        Await.until(name + " takes requests, see " + log, () -> Files.exists(ready) || !started.isAlive());
        if (!started.isAlive()) {
            throw new IllegalStateException(name + " did not start: " + new Commands(log).tail());
        }
    }

    /** Ends the server as {@code kill -9} does. */
    void kill() {
        Process running = process;
        if (running != null) {
            running.destroyForcibly()
                    .onExit()
                    .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    .join();
        }
    }

    /** Ends the server for good, and deletes its files. */
    void remove() {
        kill();
        try {
            Databases.deleteTree(directory);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] " + name + " left files behind: " + e);
        }
    }

    void pause() throws IOException {
        Signals.pause(running().toHandle());
    }

    void resume() throws IOException {
        Signals.resume(running().toHandle());
    }

    private Process running() {
        Process running = process;
        if (running == null) {
            throw new IllegalStateException("The server is not running.");
        }
        return running;
    }

    private String classPath() throws IOException {
        URL list = ServerJvm.class.getResource("/" + name + "-server.classpath");
        if (list == null) {
            throw new IllegalStateException("The module test-" + name + " is not on the class path.");
        }
        try (InputStream in = list.openStream()) {
            return home()
                    + System.getProperty("path.separator")
                    + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    /** The folder or the jar with the main class. */
    private Path home() {
        try {
            return Path.of(Class.forName(main, false, ServerJvm.class.getClassLoader())
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (ClassNotFoundException | URISyntaxException e) {
            throw new IllegalStateException("The module test-" + name + " is not on the class path.", e);
        }
    }
}
