package dev.outbox.store.jooq.fault;

import dev.outbox.processes.Await;
import dev.outbox.processes.ChildJvm;
import dev.outbox.processes.Signals;
import dev.outbox.servers.DataDirectory;
import dev.outbox.servers.KillableServer;
import dev.outbox.servers.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.h2.tools.Server;
import org.jspecify.annotations.Nullable;

/**
 * H2 in server mode, in a process of its own. Its databases are opened with {@code WRITE_DELAY=0}: by default H2 answers a
 * commit up to half a second before it writes it, and a killed server then loses what was acknowledged, the application's
 * rows like the messages.
 */
final class H2Process implements KillableServer {
    private static @Nullable H2Process shared;

    private final Path directory;
    private final int port;
    private final Map<String, String> environment;
    private Process process;

    private H2Process(Path directory, int port, Map<String, String> environment) throws Exception {
        this.directory = directory;
        this.port = port;
        this.environment = environment;
        this.process = launch();
        awaitStarted();
    }

    /** Started at the first call, and stopped when the JVM ends. */
    static synchronized H2Process shared() throws Exception {
        H2Process server = shared;
        if (server == null) {
            server = start(Map.of());
            Runtime.getRuntime().addShutdownHook(new Thread(server::close, "stop-h2"));
            shared = server;
        }
        return server;
    }

    static H2Process start(Map<String, String> environment) throws Exception {
        return new H2Process(DataDirectory.create("outbox-h2-server"), Ports.free(), environment);
    }

    private Process launch() throws IOException {
        ProcessBuilder server = ChildJvm.of(
                Server.class,
                256,
                List.of("-Dh2.bindAddress=127.0.0.1"),
                List.of("-tcp", "-tcpPort", Integer.toString(port), "-baseDir", directory.toString(), "-ifNotExists"));
        server.environment().putAll(environment);
        return server.start();
    }

    private void awaitStarted() throws Exception {
        Await.until("H2 answers", () -> {
            try {
                DriverManager.getConnection(url("started")).close();
                return true;
            } catch (SQLException e) {
                return false;
            }
        });
    }

    private String url(String name) {
        return "jdbc:h2:tcp://127.0.0.1:" + port + "/./" + name + ";WRITE_DELAY=0;DB_CLOSE_DELAY=-1";
    }

    @Override
    public String newDatabase() {
        return url("outbox" + UUID.randomUUID().toString().replace("-", ""));
    }

    @Override
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void restart() throws Exception {
        process = launch();
        awaitStarted();
    }

    @Override
    public void pause() throws IOException {
        Signals.pause(process.toHandle());
    }

    @Override
    public void resume() throws IOException {
        Signals.resume(process.toHandle());
    }

    @Override
    public void close() {
        try {
            kill();
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
