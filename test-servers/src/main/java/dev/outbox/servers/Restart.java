package dev.outbox.servers;

import dev.outbox.processes.Await;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Starts a server again that others have started, by the command that it was started with. On Linux. */
record Restart(List<String> command, Map<String, String> environment, Path directory, Databases databases) {
    static List<String> commandOf(ProcessHandle process) throws IOException {
        String line =
                Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"), StandardCharsets.UTF_8);
        return List.of(line.split("\0"));
    }

    /** Returns when it answers. */
    Process start() throws IOException {
        Commands commands = new Commands(directory.resolve("log-of-restart"));
        Process process = commands.start("", command, environment);
        long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
        while (true) {
            try {
                databases.execute("SELECT 1");
                return process;
            } catch (SQLException e) {
                if (!process.isAlive() || System.nanoTime() - deadline > 0) {
                    process.destroyForcibly();
                    throw new IllegalStateException(command.get(0) + " did not start: " + commands.tail(), e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
        }
    }
}
