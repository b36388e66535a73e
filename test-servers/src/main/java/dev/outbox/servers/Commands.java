package dev.outbox.servers;

import dev.outbox.processes.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Programs that are started to get a server, and what they leave in a log. */
record Commands(Path log) {
    /** Runs a program to its end, which must be a success. */
    void run(Path directory, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        await(process, String.join(" ", command));
    }

    /** Starts a program that goes on running, with libraries that the system may lack. */
    Process start(String libraries, List<String> command) throws IOException {
        return start(libraries, command, Map.of());
    }

    /** The same, with more in its environment. */
    Process start(String libraries, List<String> command, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        if (!libraries.isEmpty()) {
            builder.environment().put("LD_LIBRARY_PATH", libraries);
        }
        return builder.start();
    }

    void await(Process process, String what) throws IOException, InterruptedException {
        if (!process.waitFor(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException(
                    what + " has not ended after " + Await.PATIENCE.toSeconds() + " s: " + tail());
        }
        if (process.exitValue() != 0) {
            throw new IllegalStateException(what + " failed: " + tail());
        }
    }

    /** The end of the log, for error texts. */
    String tail() throws IOException {
        List<String> lines = Files.readAllLines(log);
        return String.join(" / ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
    }

    /** Where fetched things are kept, outside of every checkout. */
    static Path cache() throws IOException {
        return Files.createDirectories(Path.of(System.getProperty("user.home"), ".cache", "outbox-test-servers"));
    }

    static void requireLinuxOnAmd64() {
        if (!System.getProperty("os.name").equals("Linux")
                || !System.getProperty("os.arch").equals("amd64")) {
            throw new IllegalStateException("the package has a server for Linux on amd64 only");
        }
    }
}
