package dev.outbox.examples.quickstart;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A {@link RelayMain} that was started, on the class path of this process. */
final class RelayProcess implements AutoCloseable {
    /** More than the relay itself takes to finish what is in hand. */
    private static final long STOP_SECONDS = 60;

    private final Process process;

    private RelayProcess(Process process) {
        this.process = process;
    }

    static RelayProcess start(String url, String broker, String topic) throws IOException {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1", // it lives for seconds: start fast
                        "-cp",
                        System.getProperty("java.class.path"),
                        RelayMain.class.getName(),
                        topic))
                .redirectOutput(Redirect.INHERIT)
                .redirectError(Redirect.INHERIT)
                .start();
        process.getOutputStream().write((url + '\n' + broker + '\n').getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        return new RelayProcess(process);
    }

    long pid() {
        return process.pid();
    }

    void requireAlive() {
        if (!process.isAlive()) {
            throw Failure.broken(
                    "The relay ended by itself, with exit code " + process.exitValue() + "; see what it said above.");
        }
    }

    /** Ends it as {@code kill -9} does, and returns its exit code when it is gone. */
    int kill() throws InterruptedException {
        process.destroyForcibly();
        return process.waitFor();
    }

    /** Asks it to end and waits until it has. */
    void stop() throws IOException, InterruptedException {
        requireAlive();
        process.getOutputStream().close();
        if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            throw Failure.broken("The relay did not stop within " + STOP_SECONDS + " s.");
        }
        if (process.exitValue() != 0) {
            throw Failure.broken("The relay stopped with exit code " + process.exitValue() + "; expected 0.");
        }
    }

    /** Leaves no process alive when the run failed. */
    @Override
    public void close() {
        process.destroyForcibly();
    }
}
