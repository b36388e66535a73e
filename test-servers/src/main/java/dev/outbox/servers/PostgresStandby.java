package dev.outbox.servers;

import dev.outbox.processes.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A copy of a packaged PostgreSQL server. It streams what the server writes, until it takes the place of the server. On
 * Linux.
 */
public final class PostgresStandby implements AutoCloseable {
    private static final Duration MOST = Await.PATIENCE;

    private final PostgresServer primary;
    private final boolean synchronous;
    private final TcpProxy replication;
    private final Path data;
    private final int port;
    private final Databases databases;
    private boolean failedOver;

    private PostgresStandby(PostgresServer primary, boolean synchronous, TcpProxy replication, Path data)
            throws IOException {
        this.primary = primary;
        this.synchronous = synchronous;
        this.replication = replication;
        this.data = data;
        this.port = Ports.free();
        this.databases = new Databases(moved(primary.adminUrl()));
    }

    /** Copies a server that was killed, and starts both. */
    static PostgresStandby of(PostgresServer primary, Path original, Restart how, boolean synchronous)
            throws Exception {
        Path data = DataDirectory.create("outbox-postgres-standby");
        copy(original, data);
        primary.restart();
        PostgresStandby standby = new PostgresStandby(primary, synchronous, TcpProxy.before(primary.adminUrl()), data);
        try {
            standby.start(original, how);
            return standby;
        } catch (Exception e) {
            standby.close();
            throw e;
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(each -> !each.equals(from)).toList()) {
                Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    private void start(Path original, Restart how) throws Exception {
        Files.delete(data.resolve("postmaster.pid"));
        Files.createFile(data.resolve("standby.signal"));
        Files.writeString(
                data.resolve("postgresql.auto.conf"),
                "primary_conninfo = 'host=127.0.0.1 port=" + replication.port() + " user=postgres password=postgres'\n",
                StandardOpenOption.APPEND);
        String before = Integer.toString(portOf(primary.adminUrl()));
        new Restart(
                        how.command().stream()
                                .map(each -> each.equals(original.toString()) ? data.toString() : each)
                                .map(each -> each.equals(before) ? Integer.toString(port) : each)
                                .toList(),
                        Map.of(),
                        data,
                        databases)
                .start();
        awaitAll();
        if (synchronous) {
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
            primary.execute("SELECT pg_reload_conf()");
            Await.until(
                    "commits wait for the standby",
                    MOST,
                    () -> ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
                            .equals("1"));
        }
    }

    /** A URL of a database of the server, which leads to whichever of the two takes writes. */
    public String url(String ofPrimary) {
        return ofPrimary.replace(host(portOf(ofPrimary)), host(portOf(ofPrimary)) + "," + host(port))
                + "&targetServerType=primary";
    }

    /**
     * Keeps what is written from now on from the standby, which has all that was written before. If it is synchronous,
     * no commit returns that it does not have, and nothing is kept from it.
     */
    public void lag() throws Exception {
        if (!synchronous) {
            awaitAll();
            replication.stall();
        }
    }

    /** Waits until the standby has on its disk what was committed so far. */
    private void awaitAll() throws Exception {
        String position = ask("SELECT pg_current_wal_lsn()::text");
        Await.until(
                "the standby has all that was written",
                MOST,
                () -> ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND flush_lsn >= '"
                                + position + "'::pg_lsn")
                        .equals("1"));
    }

    /** Kills the server. The standby takes its place, with what it has; returns when it takes writes. */
    public void failOver() throws Exception {
        failedOver = true;
        primary.kill();
        replication.close();
        databases.execute("SELECT pg_promote(true, 60)");
    }

    private String ask(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(primary.adminUrl());
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    private String moved(String url) {
        return url.replace(host(portOf(url)), host(port));
    }

    private static String host(int port) {
        return "localhost:" + port;
    }

    private static int portOf(String url) {
        return Integer.parseInt(url.replaceFirst(".*//localhost:(\\d+)/.*", "$1"));
    }

    /** Ends the standby, and leaves a server that can be closed. */
    @Override
    public void close() throws IOException {
        Path pid = data.resolve("postmaster.pid");
        if (Files.exists(pid)) {
            long process = Long.parseLong(Files.readAllLines(pid).get(0).trim());
            ProcessHandle.of(process).ifPresent(postmaster -> {
                Stream.concat(Stream.of(postmaster), postmaster.descendants())
                        .toList()
                        .forEach(ProcessHandle::destroyForcibly);
                postmaster.onExit().join();
            });
        }
        replication.close();
        if (failedOver) {
            primary.restart(); // the package can only stop a server that is running
        }
        try {
            Databases.deleteTree(data);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] the standby left files behind: " + e);
        }
    }
}
