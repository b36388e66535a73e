package dev.outbox.servers;

import dev.outbox.processes.Await;
import dev.outbox.processes.Signals;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * PgBouncer in transaction mode before a PostgreSQL server: the program that is on the path, else that of Debian's
 * package. It has its default settings, except for those without which PostgreSQL's driver
 * cannot use it at all.
 */
public final class PgBouncer implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("//([^/:?]+):(\\d+)/");
    private static final DebianPackages PACKAGE = new DebianPackages("pgbouncer", "");
    private static final Libraries LIBRARIES = new Libraries(
            Map.of("libevent", "libevent-2.1-7", "libcares", "libc-ares2"),
            new DebianPackages("pgbouncer-libraries", ""));

    private final Path directory;
    private final Path settings;
    private final Process process;
    private final String address;
    private final int port;

    private PgBouncer(Path directory, Path settings, Process process, String address, int port) {
        this.directory = directory;
        this.settings = settings;
        this.process = process;
        this.address = address;
        this.port = port;
    }

    /**
     * Starts one.
     *
     * @param url of a database of the server, with user and password
     * @param more settings, each as a line of its file
     */
    public static PgBouncer before(String url, String... more) throws IOException, InterruptedException, SQLException {
        Matcher address = ADDRESS.matcher(url);
        if (!address.find()) {
            throw new IllegalArgumentException("No //host:port/ in the URL.");
        }
        Path directory = Files.createTempDirectory("outbox-pgbouncer");
        Commands commands = new Commands(directory.resolve("log"));
        Files.createFile(commands.log());
        Path program = program(commands);
        int port = Ports.free();
        Path users = Files.writeString(
                directory.resolve("users"),
                '"' + parameter("user", url) + "\" \"" + parameter("password", url) + "\"\n");
        List<String> lines = new ArrayList<>(List.of(
                "[databases]",
                "* = host=" + address.group(1) + " port=" + address.group(2),
                "[pgbouncer]",
                "pool_mode = transaction",
                "listen_addr = 127.0.0.1",
                "listen_port = " + port,
                "unix_socket_dir =",
                "auth_type = plain",
                "auth_file = " + users,
                // PostgreSQL's driver sends it, and is turned away otherwise.
                "ignore_startup_parameters = extra_float_digits"));
        lines.addAll(List.of(more));
        Path settings = Files.write(directory.resolve("pgbouncer.ini"), lines);
        List<String> command = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("unshare", "-U")); // it does not run as root
        }
        command.addAll(List.of(program.toString(), settings.toString()));
        PgBouncer pooler = new PgBouncer(
                directory,
                settings,
                commands.start(LIBRARIES.pathFor(program, commands), command),
                address.group(),
                port);
        try {
            pooler.awaitStarted(url, commands);
            return pooler;
        } catch (IOException | SQLException | RuntimeException e) {
            pooler.close();
            throw e;
        }
    }

    private static Path program(Commands commands) throws IOException, InterruptedException {
        for (String folder : System.getenv("PATH").split(File.pathSeparator, -1)) {
            Path program = Path.of(folder, "pgbouncer");
            if (Files.isExecutable(program)) {
                return program;
            }
        }
        return PACKAGE.unpacked(List.of("pgbouncer"), commands).resolve("usr/sbin/pgbouncer");
    }

    private static String parameter(String name, String url) {
        Matcher value = Pattern.compile("[?&]" + name + "=([^&]*)").matcher(url);
        if (!value.find()) {
            throw new IllegalArgumentException("No " + name + " in the URL.");
        }
        return value.group(1);
    }

    private void awaitStarted(String url, Commands commands) throws IOException, SQLException {
        long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
        while (true) {
            try {
                DriverManager.getConnection(route(url)).close();
                return;
            } catch (SQLException e) {
                if (!process.isAlive() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("pgbouncer did not start: " + commands.tail(), e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
        }
    }

    /** A URL of the server, led through here. */
    public String route(String url) {
        return url.replace(address, "//127.0.0.1:" + port + "/");
    }

    /** Changes a setting, a line of its file, while it runs. It may take a moment to take effect. */
    public void set(String setting) throws IOException {
        Files.write(settings, List.of(setting), StandardOpenOption.APPEND);
        Signals.hangUp(process.toHandle());
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly()
                .onExit()
                .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
        try {
            Databases.deleteTree(directory);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] PgBouncer left files behind: " + e);
        }
    }
}
